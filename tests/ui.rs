//! What the compiler says about mistakes: `tests/ui/<mistake>.rs`, word for word beside it.
//! `TRYBUILD=overwrite cargo test --test ui` writes the words anew.

#[test]
fn mistakes_are_told_where_they_were_made() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}

enum BookError {
    #[fault(code = 1)]
    Closed,
    #[fault(code = 2)]
    NotFound { id: u64, r#type: String },
    #[fault(code = -3)]
    Torn(u32),
}

#[fault(code = 7, crate = my::rpc)]
struct Broken<T> {
    part: T,
}

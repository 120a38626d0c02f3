/// Integer arithmetic, as every RPC tutorial begins.
#[farcall::service]
pub trait Calc {
    /// Returns `x + y`.
    async fn add(&self, x: i64, y: i64) -> i64;
    /// Returns `x / y`, rounded toward zero.
    async fn divide(&self, x: i64, y: i64) -> Result<i64, CalcError>;
    /// Forgets everything.
    async fn clear(&self);
}

#[farcall::service]
trait Lends {
    async fn plain(&self, text: &str, bytes: &[u8], list: &[i64], map: &HashMap<String, u8>);
    async fn optional(&self, text: Option<&str>, bytes: Option<&[u8]>, map: Option<&Map>);
    async fn named<'a>(&'a self, one: &'a str, cow: Cow<'a, str>) -> String;
    async fn records(&self, all: Vec<Record<'_>>, some: &[Record<'_>], last: Option<Record<'_>>);
    async fn defaults(&self, #[rpc(default = "world")] name: &str, #[rpc(default)] bytes: &[u8]);
}

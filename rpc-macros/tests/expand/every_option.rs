#[farcall::service(namespace = "phone.book", rename_all = "camelCase", crate = my::rpc)]
pub(crate) trait PhoneBook {
    /// Finds a person.
    ///
    /// By number.
    #[rpc(idempotent, timeout = "50ms", alias = "lookup", alias = "find")]
    async fn find_by_number(
        &self,
        #[rpc(name = "phoneNumber")] number: &str,
        cx: &Context,
    ) -> Option<String>;
    #[rpc(name = "Forget", notify)]
    async fn forget(&self, #[rpc(default = 3)] how_many: u64, #[rpc(default)] all: bool);
    #[rpc(blocking)]
    async fn compress(&self, bytes: &[u8]) -> Vec<u8>;
    #[deprecated]
    async fn r#match(&self, r#type: Option<u8>, #[rpc(default = "x")] request: String);
}

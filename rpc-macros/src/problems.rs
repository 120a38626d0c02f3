//! All mistakes of one trait, so that one build shows them all.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

/// The refusals so far. Each says the rule, then why, or what to write instead.
#[derive(Default)]
pub(crate) struct Problems(Vec<syn::Error>);

impl Problems {
    /// Refuses what `tokens` say.
    pub(crate) fn refuse(&mut self, tokens: impl ToTokens, words: impl std::fmt::Display) {
        self.0.push(syn::Error::new_spanned(tokens, words));
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// How many there are: a stretch of work went well if it added none.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}

impl ToTokens for Problems {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        for error in &self.0 {
            let error = error.to_compile_error();
            tokens.extend(quote!(#error));
        }
    }
}

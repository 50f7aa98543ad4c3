/// Why the vault does not open. Each says what to do now; none carries a value or a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    #[error("master key `{key}`: {reason}")]
    Unreadable { key: String, reason: String },
    #[error(
        "the vault holds {secrets} under master key `{key}`, which the configuration does not name: add it as \
         [[vault.master_key]] until `ml-connector secret rotate` has put another in its place"
    )]
    NotNamed { key: String, secrets: String },
    #[error(
        "master key `{key}` does not open what the vault holds under that name ({secrets}): it is not the key that \
         they were stored with; put the right one in its place"
    )]
    WrongKey { key: String, secrets: String },
    #[error(
        "version {version} of `{name}` in the vault was changed after it was stored, though its master key `{key}` is the right \
         one: find out who wrote to the store, then set it anew with `ml-connector secret set '{name}'` and retire that \
         version with `ml-connector secret retire '{name}' --version {version}`"
    )]
    Tampered { name: String, version: i64, key: String },
    #[error("this machine gives no random bytes: {0}")]
    NoRandom(String),
}

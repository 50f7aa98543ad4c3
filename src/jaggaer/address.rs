use super::Error;
use reqwest::Url;

/// RFC 3986: everything but the unreserved characters.
pub(super) fn percent_encoded(text: &str) -> String {
    encoded(text, b"-._~", false)
}

/// `application/x-www-form-urlencoded`, as RFC 6749 wants it before Basic authentication.
pub(super) fn form_encoded(text: &str) -> String {
    encoded(text, b"*-._", true)
}

fn encoded(text: &str, kept: &[u8], plus_for_space: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            out.push(char::from(byte));
        } else if byte == b' ' && plus_for_space {
            out.push('+');
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The base URL; every call stays below it.
#[derive(Debug, Clone)]
pub(super) struct Base(Url);

impl Base {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |why: &str| Error::Settings(format!("base URL `{text}`: {why}"));
        let url =
            Url::parse(text.trim().trim_end_matches('/')).map_err(|e| wrong(&e.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(wrong("it must begin with https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::Settings(
                "base URL: no name or password may stand in it".to_owned(),
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("no query may stand in it"));
        }
        Ok(Self(url))
    }

    /// A path below the base URL, or a whole address that is below it anyway.
    pub(super) fn below(&self, path: &str) -> Result<Url, Error> {
        let foreign = || Error::ForeignAddress(path.chars().take(200).collect());
        let url = if path.starts_with('/') && !path.starts_with("//") && !path.contains('\\') {
            let whole = format!("{}{path}", self.0.as_str().trim_end_matches('/'));
            Url::parse(&whole).map_err(|_| foreign())?
        } else {
            Url::parse(path).map_err(|_| foreign())?
        };
        if self.holds(&url) { Ok(url) } else { Err(foreign()) }
    }

    /// What a `Link` header names, seen from the page that carried it.
    pub(super) fn linked(&self, from: &Url, link: &str) -> Result<Url, Error> {
        let foreign = || Error::ForeignAddress(link.chars().take(200).collect());
        let url = from.join(link).map_err(|_| foreign())?;
        if self.holds(&url) { Ok(url) } else { Err(foreign()) }
    }

    fn holds(&self, url: &Url) -> bool {
        let root = self.0.path().trim_end_matches('/');
        self.0.origin() == url.origin()
            && url.username().is_empty()
            && url.password().is_none()
            && url.path().strip_prefix(root).is_some_and(|rest| rest.starts_with('/'))
    }

    pub(super) fn token_url(&self) -> String {
        let base = self.0.as_str().trim_end_matches('/');
        format!("{base}/auth/realms/J1p-integrations/protocol/openid-connect/token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes() {
        assert_eq!(percent_encoded("a b/ø?"), "a%20b%2F%C3%B8%3F");
        assert_eq!(form_encoded("p+%: w"), "p%2B%25%3A+w");
    }

    #[test]
    fn nothing_leaves_the_base_url() {
        let base = Base::parse("https://reg01.example/root/").unwrap();
        for (path, inside) in [
            ("/invoices/1", true),
            ("/invoices?fileId=7&fileName=a.pdf", true),
            ("https://reg01.example/root/invoices/1", true),
            ("https://reg01.example/other", false),
            ("https://reg01.example/rootless", false),
            ("http://reg01.example/root/x", false),
            ("https://reg01.example:8443/root/x", false),
            ("https://evil.example/root/x", false),
            ("//evil.example/x", false),
            ("/../../etc", false),
            ("/\\evil.example", false),
            ("https://reg01.example@evil.example/root/x", false),
            ("https://user@reg01.example/root/x", false),
            ("file:///etc/passwd", false),
            ("", false),
        ] {
            assert_eq!(base.below(path).is_ok(), inside, "{path}");
        }
        for bad in ["", "reg01.example", "ftp://x", "https://u:p@x", "https://x/?a=1"] {
            assert!(Base::parse(bad).is_err(), "{bad}");
        }
    }
}

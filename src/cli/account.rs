//! Who is at the command line: the account that the operating system runs this process as, never
//! what an environment variable says.

use std::process::{Command, Stdio};

/// The account's name, or `uid:1001` where the machine has no name for it.
pub fn account() -> String {
    let uid = rustix::process::getuid().as_raw();
    std::fs::read_to_string("/etc/passwd")
        .ok()
        .and_then(|passwd| named(&passwd, uid))
        .or_else(from_the_directory)
        .unwrap_or_else(|| format!("uid:{uid}"))
}

fn named(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, id) = (fields.next()?, fields.nth(1)?);
        (id.parse() == Ok(uid) && !name.is_empty()).then(|| name.to_owned())
    })
}

/// Accounts that live in a directory service are in no file; `id` asks where the machine asks. By
/// its path, so that no other program of that name answers.
fn from_the_directory() -> Option<String> {
    let answer = ["/usr/bin/id", "/bin/id"].iter().find_map(|id| {
        Command::new(id).arg("-un").env_clear().stderr(Stdio::null()).output().ok()
    })?;
    let name = String::from_utf8(answer.stdout).ok()?;
    let name = name.trim();
    (answer.status.success() && !name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_number_alone() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nanna:x:1001:100::/home/anna:/bin/sh\n\nbad\n";
        for (uid, name) in [(0, Some("root")), (1001, Some("anna")), (100, None), (1, None)] {
            assert_eq!(named(passwd, uid).as_deref(), name, "{uid}");
        }
        assert!(!account().is_empty());
    }
}

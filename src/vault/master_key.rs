//! Where master keys are read from.

use super::{LONGEST_SECRET, MasterKey, VaultError};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use zeroize::Zeroizing;

/// A command that asks a person or a service far away.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);
const ACCESS_LIST: &str = "system.posix_acl_access";

/// Where one master key is, never the key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPlace {
    /// A file that only this account can read.
    File(PathBuf),
    Env(String),
    /// A program and its arguments, run without a shell; it prints the key.
    Command(Vec<String>),
}

impl KeyPlace {
    /// Reads the key. A relative path starts at `folder`; a command may take 30 seconds.
    pub async fn read(&self, name: &str, folder: &Path) -> Result<MasterKey, VaultError> {
        let text = match self {
            Self::File(path) => read_file(&folder.join(path)),
            Self::Env(variable) => std::env::var(variable)
                .map(Zeroizing::new)
                .map_err(|_| format!("the environment variable {variable} is not set")),
            Self::Command(words) => run(words, folder, COMMAND_LIMIT).await,
        };
        let text =
            text.map_err(|reason| VaultError::Unreadable { key: name.to_owned(), reason })?;
        MasterKey::parse(name, &text)
    }
}

fn read_file(path: &Path) -> Result<Zeroizing<String>, String> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| format!("cannot read {shown}: {error}");
    // Asked of the open file, so that it is the one that is read.
    let file = File::open(path).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    if !about.is_file() {
        return Err(format!("{shown} is no file"));
    }
    let us = rustix::process::geteuid().as_raw();
    let is_listed = access_list(&file).is_some_and(|list| is_for_us_alone(&list, us));
    if about.uid() != us && !(is_listed && about.uid() == 0) {
        return Err(format!(
            "{shown} belongs to another account (uid {}, this is {us}): type `chown {us} {shown}` as root",
            about.uid()
        ));
    }
    if about.mode() & 0o077 != 0 && !is_listed {
        return Err(format!(
            "{shown} can be read or changed by other accounts (mode {:03o}): type `chmod 600 {shown}`, and make a new \
             key if others may have read it",
            about.mode() & 0o777
        ));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(LONGEST_SECRET).read_to_string(&mut text).map_err(unreadable)?;
    Ok(text)
}

/// The POSIX access list of a file that has one.
fn access_list(file: &File) -> Option<Vec<u8>> {
    let mut list = [0; 256];
    let length = rustix::fs::fgetxattr(file, ACCESS_LIST, &mut list[..]).ok()?;
    list.get(..length).map(<[u8]>::to_vec)
}

/// Whether an access list lets nobody in but the owner, root and us. This is how systemd hands a credential over: in
/// a file of root's, whose mode looks as if its group might read it.
fn is_for_us_alone(list: &[u8], us: u32) -> bool {
    const OWNER: u16 = 0x01;
    const USER: u16 = 0x02;
    const MASK: u16 = 0x10;
    let Some(entries) = list.strip_prefix(&2_u32.to_le_bytes()) else { return false };
    let (entries, rest) = entries.as_chunks::<8>();
    rest.is_empty()
        && entries.iter().all(|[a, b, c, d, id @ ..]| {
            let may = u16::from_le_bytes([*c, *d]);
            match u16::from_le_bytes([*a, *b]) {
                OWNER | MASK => true,
                USER => [us, 0].contains(&u32::from_le_bytes(*id)) || may == 0,
                _ => may == 0,
            }
        })
}

/// What a program prints. Its words on failure are not shown: they may hold what it was to print.
async fn run(
    words: &[String],
    folder: &Path,
    limit: Duration,
) -> Result<Zeroizing<String>, String> {
    let (program, arguments) = words.split_first().ok_or("its command is empty")?;
    let failed = |what: String| format!("the command `{program}` {what}");
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    if !folder.as_os_str().is_empty() {
        command.current_dir(folder);
    }
    let mut child = command
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(format!("cannot be started: {error}")))?;
    let out = child.stdout.take().ok_or_else(|| failed("has no output".into()))?;
    let mut text = Zeroizing::new(String::new());
    let ended = async {
        out.take(LONGEST_SECRET).read_to_string(&mut text).await?;
        child.wait().await
    };
    match tokio::time::timeout(limit, ended).await {
        Err(_) => Err(failed(format!("did not end within {} seconds", limit.as_secs()))),
        Ok(Err(error)) => Err(failed(format!("could not be read: {error}"))),
        Ok(Ok(status)) if !status.success() => Err(failed(format!(
            "failed ({status}): run it as the account of ml-connector to see why"
        ))),
        Ok(Ok(_)) => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn folder(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("ml_connector_key_{}_{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[tokio::test]
    async fn a_file_must_be_ours_alone() {
        let folder = folder("file");
        let path = folder.join("master key");
        std::fs::write(&path, format!("{}\n", *MasterKey::generate().unwrap())).unwrap();
        let place = KeyPlace::File("master key".into());
        for (mode, good) in
            [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)]
        {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            match place.read("2026", &folder).await {
                Ok(key) => assert!(good && key.name == "2026", "{mode:o}"),
                Err(error) => {
                    let told = error.to_string();
                    assert!(!good && told.contains("`2026`"), "{mode:o}: {told}");
                    assert!(told.contains(&format!("`chmod 600 {}`", path.display())), "{told}");
                }
            }
        }
        for nowhere in ["missing", "."] {
            let error = KeyPlace::File(nowhere.into()).read("2026", &folder).await.unwrap_err();
            assert!(error.to_string().contains("`2026`"), "{error}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    /// As the kernel gives and takes it: (tag, rights, id).
    fn list_of(entries: &[(u16, u16, u32)]) -> Vec<u8> {
        let mut list = 2_u32.to_le_bytes().to_vec();
        for (tag, may, id) in entries {
            list.extend(tag.to_le_bytes());
            list.extend(may.to_le_bytes());
            list.extend(id.to_le_bytes());
        }
        list
    }

    /// The owner and one other entry may read; what must be there beside them may not.
    fn list_with(tag: u16, id: u32) -> Vec<u8> {
        let mut entries = vec![(0x01, 4, u32::MAX), (0x10, 4, u32::MAX)];
        entries.extend([(0x04, 0, u32::MAX), (0x20, 0, u32::MAX)].iter().filter(|e| e.0 != tag));
        entries.push((tag, 4, id));
        entries.sort_unstable();
        list_of(&entries)
    }

    #[test]
    fn an_access_list_is_read_to_its_end() {
        for (list, good) in [
            (list_with(0x02, 100), true),
            (list_with(0x02, 0), true),
            (list_with(0x02, 101), false),
            (list_with(0x08, 100), false),
            (list_with(0x04, u32::MAX), false),
            (list_with(0x20, u32::MAX), false),
            (list_with(0x02, 100)[..13].to_vec(), false),
            (Vec::new(), false),
        ] {
            assert_eq!(is_for_us_alone(&list, 100), good, "{list:?}");
        }
    }

    #[tokio::test]
    async fn a_file_may_be_ours_by_its_access_list() {
        let folder = folder("list");
        let path = folder.join("key");
        std::fs::write(&path, MasterKey::generate().unwrap().as_bytes()).unwrap();
        let us = rustix::process::geteuid().as_raw();
        for (id, good) in [(us, true), (us + 1, false)] {
            let none = rustix::fs::XattrFlags::empty();
            let set = rustix::fs::setxattr(&path, ACCESS_LIST, &list_with(0x02, id), none);
            if set == Err(rustix::io::Errno::OPNOTSUPP) {
                eprintln!("{} knows no access lists: passed over", folder.display());
                break;
            }
            set.unwrap();
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o440, "the mask shows as the group's right");
            let read = KeyPlace::File("key".into()).read("k", &folder).await;
            assert_eq!(read.is_ok(), good, "{:?}", read.err());
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_command_runs_without_a_shell_and_not_for_ever() {
        let folder = folder("command");
        let key = MasterKey::generate().unwrap();
        std::fs::write(folder.join("$(id) key"), key.as_bytes()).unwrap();
        let cat = KeyPlace::Command(words(&["cat", "$(id) key"]));
        assert!(cat.read("k", &folder).await.is_ok());
        for (command, told) in [
            (&["false"][..], "failed"),
            (&["/nowhere/at-all"], "cannot be started"),
            (&[], "empty"),
            (&["echo", "9f3c"], "base64"),
        ] {
            let error =
                KeyPlace::Command(words(command)).read("k", &folder).await.unwrap_err().to_string();
            assert!(error.contains(told) && !error.contains("9f3c"), "{error}");
        }
        let error =
            run(&words(&["sleep", "60"]), &folder, Duration::from_millis(50)).await.unwrap_err();
        assert!(error.contains("did not end"), "{error}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}

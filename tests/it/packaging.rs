//! The Debian package, the systemd unit and the container file: what is in them, and that they say what
//! the manual and the program say.

use crate::stores::unique;
use ml_connector::config::{Config, ServeConfig};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const BINARY: &str = env!("CARGO_BIN_EXE_ml-connector");
const INSTALL: &str = include_str!("../../docs/install.md");
const UNIT: &str = include_str!("../../packaging/ml-connector.service");
const CONFIG: &str = "/etc/ml-connector/ml-connector.toml";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(unique("ml_connector_package"));
        std::fs::create_dir_all(&path).expect("the temporary directory can be written");
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Debian has the tool always; elsewhere the test says that it is passed over.
fn can_pack() -> bool {
    if is_there("dpkg-deb") {
        return true;
    }
    assert!(!Path::new("/etc/debian_version").exists(), "this is Debian, and dpkg-deb is missing");
    eprintln!(
        "passed over: this machine has no dpkg-deb, so it is not Debian and builds no package"
    );
    false
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a program that must do what it is asked.
fn done(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
    text(&output)
}

/// The script around this test's binary, packed fast: what is tested is not how small it gets.
fn build_deb(binary: &Path, out: &Path) -> Command {
    let mut command = Command::new(root().join("packaging/build-deb"));
    command.arg("--binary").arg(binary).arg("--out").arg(out);
    command.env("DPKG_DEB_COMPRESSOR_TYPE", "gzip").env("DPKG_DEB_COMPRESSOR_LEVEL", "1");
    command.env("SOURCE_DATE_EPOCH", "1750000000");
    command
}

/// (mode as `ls` shows it, owner, path from the root without the dot) of everything that is installed.
fn contents(package: &Path) -> BTreeMap<String, (String, String)> {
    done(Command::new("dpkg-deb").arg("-c").arg(package))
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let path = words[5].trim_start_matches('.').to_owned();
            (path, (words[0].to_owned(), words[1].to_owned()))
        })
        .collect()
}

fn field(package: &Path, name: &str) -> String {
    done(Command::new("dpkg-deb").arg("-f").arg(package).arg(name)).trim().to_owned()
}

/// The program as it lies in the package.
fn installed_binary() -> String {
    value(UNIT, "ExecStart").split(' ').next().expect("a path").to_owned()
}

#[test]
fn a_package_holds_what_it_should_and_runs() {
    if !can_pack() {
        return;
    }
    let folder = Folder::new();
    let printed = done(&mut build_deb(Path::new(BINARY), &folder.path("out")));
    let package = PathBuf::from(printed.trim());
    assert_eq!(package.parent(), Some(&*folder.path("out")), "{printed}");

    assert_eq!(field(&package, "Package"), "ml-connector");
    assert_eq!(field(&package, "Version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(
        field(&package, "Architecture"),
        done(Command::new("dpkg").arg("--print-architecture")).trim()
    );
    let depends = field(&package, "Depends");
    for needed in ["libc6 (>= 2.", "libgcc-s1", "adduser", "ca-certificates"] {
        assert!(depends.contains(needed), "{needed}: {depends}");
    }

    let contents = contents(&package);
    for (path, (mode, owner)) in &contents {
        assert_eq!(owner, "root/root", "{path}");
        // Below /usr alone: what is in /etc and /var was made by people, and no upgrade may touch it.
        assert!("/usr/".starts_with(path) || path.starts_with("/usr/"), "{path}");
        let wanted = match (path.ends_with('/'), *path == installed_binary()) {
            (true, _) => "drwxr-xr-x",
            (false, true) => "-rwxr-xr-x",
            (false, false) => "-rw-r--r--",
        };
        assert_eq!(mode, wanted, "{path}");
    }
    let mut wanted = vec![
        installed_binary(),
        "/usr/lib/systemd/system/ml-connector.service".to_owned(),
        "/usr/share/doc/ml-connector/copyright".to_owned(),
        "/usr/share/doc/ml-connector/ml-connector.example.toml".to_owned(),
    ];
    for (here, there) in [
        ("docs", "/usr/share/doc/ml-connector/docs"),
        ("docs/examples", "/usr/share/doc/ml-connector/docs/examples"),
        ("profiles", "/usr/share/ml-connector/profiles"),
    ] {
        let files = std::fs::read_dir(root().join(here)).expect("a folder");
        let files = files.map(|file| file.expect("readable"));
        let files = files.filter(|file| file.path().is_file());
        wanted.extend(files.map(|file| format!("{there}/{}", file.file_name().display())));
    }
    for path in wanted {
        assert!(contents.contains_key(&path), "{path} is missing: {contents:#?}");
    }

    let tree = folder.path("tree");
    done(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&tree));
    let said = done(Command::new(tree.join(&installed_binary()[1..])).arg("--version"));
    assert_eq!(said.trim(), concat!("ml-connector ", env!("CARGO_PKG_VERSION")));
    let control = folder.path("control");
    done(Command::new("dpkg-deb").arg("-e").arg(&package).arg(&control));
    done(
        Command::new("md5sum")
            .args(["--quiet", "-c"])
            .arg(control.join("md5sums"))
            .current_dir(&tree),
    );
    for script in ["postinst", "prerm", "postrm"] {
        let path = control.join(script);
        assert_eq!(std::fs::metadata(&path).expect(script).permissions().mode() & 0o777, 0o755);
        done(Command::new("/bin/sh").arg("-n").arg(&path));
    }
    // The store proves what was posted, and a master key opens its backups: no script deletes either.
    let purge = std::fs::read_to_string(control.join("postrm")).expect("it is there");
    for never in ["rm -r", "rm -fr", "find ", "deluser", "userdel"] {
        assert!(!purge.contains(never), "{never}: {purge}");
    }

    // Once more, elsewhere and by somebody with other habits: the same package.
    let habits = "umask 077; cd / && TZ=Pacific/Auckland LC_ALL=C.UTF-8 exec \"$0\" \"$@\"";
    let again = build_deb(Path::new(BINARY), &folder.path("again"));
    let mut other = Command::new("/bin/sh");
    other.args(["-c", habits]).arg(again.get_program()).args(again.get_args());
    other.envs(again.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let again = done(&mut other);
    let bytes = |path: &Path| std::fs::read(path).expect("readable");
    assert!(bytes(&package) == bytes(Path::new(again.trim())), "two builds of the same differ");
}

#[test]
fn what_the_binary_is_linked_with_is_measured_where_no_tool_tells() {
    if !can_pack() {
        return;
    }
    let folder = Folder::new();
    let told = done(&mut build_deb(Path::new(BINARY), &folder.path("told")));
    let told = field(Path::new(told.trim()), "Depends");
    // Every program of this machine but one.
    let programs = folder.path("programs");
    std::fs::create_dir(&programs).expect("writable");
    for from in ["/bin", "/usr/bin"] {
        for program in std::fs::read_dir(from).expect("a folder").flatten() {
            if program.file_name() != "dpkg-shlibdeps" {
                // Where /bin is /usr/bin, each is met twice.
                let _ =
                    std::os::unix::fs::symlink(program.path(), programs.join(program.file_name()));
            }
        }
    }
    let mut measuring = build_deb(Path::new(BINARY), &folder.path("measured"));
    let measured = done(measuring.env("PATH", &programs));
    let measured = field(Path::new(measured.trim()), "Depends");
    let library = |depends: &str| depends.split(',').next().expect("the first").to_owned();
    assert!(library(&measured).starts_with("libc6 (>= 2."), "{measured}");
    assert!(measured.contains("libgcc-s1, adduser, ca-certificates"), "{measured}");
    if is_there("dpkg-shlibdeps") {
        assert_eq!(library(&measured), library(&told));
    }
}

#[test]
fn a_package_that_would_not_be_true_is_not_built() {
    if !can_pack() {
        return;
    }
    let folder = Folder::new();
    let old = folder.path("old");
    std::fs::write(&old, "#!/bin/sh\necho ml-connector 0.0.9\n").expect("writable");
    std::fs::set_permissions(&old, PermissionsExt::from_mode(0o755)).expect("ours");
    for (binary, words) in [
        (folder.path("nowhere"), "type `cargo build --release --locked` first"),
        (old, "the binary says `ml-connector 0.0.9`"),
    ] {
        let output = build_deb(&binary, &folder.path("out")).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains(words), "{output:?}");
    }
    let output = build_deb(Path::new(BINARY), &folder.path("out")).arg("--help-me").output();
    assert_eq!(output.expect("it runs").status.code(), Some(2));
    assert!(!folder.path("out").exists(), "nothing was built");
}

/// The value of a key that stands once in a unit.
fn value(unit: &str, key: &str) -> String {
    let mut values = unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let first = values.next().unwrap_or_else(|| panic!("{key} is missing"));
    assert_eq!(values.next(), None, "{key} stands twice");
    first.to_owned()
}

/// The program takes these words: they get as far as a configuration that is not there.
fn is_understood(arguments: &[&str]) {
    let nowhere = std::env::temp_dir().join(unique("nowhere"));
    let arguments = arguments.iter().map(|word| match *word {
        CONFIG => nowhere.as_os_str().to_owned(),
        other => other.into(),
    });
    let output = Command::new(BINARY).args(arguments).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(said.contains(&*nowhere.to_string_lossy()), "{said}");
}

#[test]
fn the_unit_says_what_the_manual_says() {
    let start = value(UNIT, "ExecStart");
    let words: Vec<&str> = start.split(' ').collect();
    assert_eq!(words[0], "/usr/bin/ml-connector");
    is_understood(&words[1..]);
    let serve = include_str!("../../docs/serve.md");
    let line = start.strip_prefix("/usr/bin/").expect("a path");
    assert!(serve.contains(line), "docs/serve.md does not say: {line}");
    assert!(INSTALL.contains("/usr/bin/ml-connector"));

    // 2 is a wrong configuration (README): to start again would help nobody.
    assert_eq!(value(UNIT, "Restart"), "on-failure");
    assert_eq!(value(UNIT, "RestartPreventExitStatus"), "2");
    // Who is stopped has the time to finish the documents in hand.
    let stop: u64 = value(UNIT, "TimeoutStopSec").parse().expect("seconds");
    assert!(stop > ServeConfig::default().drain_seconds, "{stop}");
    assert!(serve.contains("| SIGHUP |") && value(UNIT, "ExecReload").contains("kill -HUP"));

    // Where things are is said in one way.
    let (state, configuration) =
        (value(UNIT, "StateDirectory"), value(UNIT, "ConfigurationDirectory"));
    let state = format!("/var/lib/{state}");
    assert_eq!(value(UNIT, "WorkingDirectory"), state);
    assert!(CONFIG.starts_with(&format!("/etc/{configuration}/")));
    let account = value(UNIT, "User");
    let script = include_str!("../../packaging/debian/postinst");
    for made in [
        format!("--home {state} {account}\n"),
        format!(
            "-o root -g {account} -m {} /etc/{configuration}\n",
            value(UNIT, "ConfigurationDirectoryMode")
        ),
        format!("-o {account} -g {account} -m {} {state}\n", value(UNIT, "StateDirectoryMode")),
    ] {
        assert!(script.contains(&made), "postinst does not make: {made}");
    }
    let credential = value(UNIT, "LoadCredential");
    let command = format!("command = [\"systemd-creds\", \"cat\", \"{credential}\"]");
    let vault = include_str!("../../docs/vault.md");
    for told in [INSTALL, vault] {
        assert!(told.contains(&command), "{command}");
    }
    let file = format!("/etc/credstore/{credential}");
    for told in [
        CONFIG,
        &file,
        &format!("{state}/ml-connector.db"),
        &format!("LoadCredential={credential}"),
    ] {
        assert!(INSTALL.contains(told), "docs/install.md does not say {told}");
    }

    if !is_there("systemd-analyze") {
        eprintln!("passed over: this machine has no systemd-analyze to look at the unit");
        return;
    }
    // It looks whether the program is there, so it gets one that is.
    let folder = Folder::new();
    let unit = folder.path("ml-connector.service");
    std::fs::write(&unit, UNIT.replace("/usr/bin/ml-connector", BINARY)).expect("writable");
    let output =
        Command::new("systemd-analyze").arg("verify").arg(&unit).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    // It looks at what the unit names too, and other units are not ours.
    assert!(output.status.success() && !said.contains("ml-connector"), "{output:?}");
}

#[test]
fn what_the_manual_writes_into_the_configuration_is_taken() {
    let blocks: Vec<&str> = INSTALL.split("```toml\n").skip(1).collect();
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        let block = block.split("```").next().expect("its end");
        let written: toml::Table = block.parse().expect(block);
        let example = include_str!("../../ml-connector.example.toml");
        let mut table: toml::Table = example.parse().expect("it is TOML");
        table.extend(written);
        Config::parse(&table.to_string(), Path::new(CONFIG)).expect(block);
    }
}

/// The words of each line of the container file that begins with an instruction.
fn instructions<'a>(file: &'a str, name: &str) -> Vec<Vec<&'a str>> {
    file.lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .map(|line| line.split_whitespace().collect())
        .collect()
}

#[test]
fn the_container_is_built_from_what_is_there() {
    let file = include_str!("../../packaging/Containerfile");
    let copies = instructions(file, "COPY");
    let (from_builder, from_sources): (Vec<_>, Vec<_>) =
        copies.into_iter().partition(|words| words[0].starts_with("--from="));
    assert_eq!(from_builder.len(), 1);
    assert_eq!(from_builder[0].last(), Some(&"/usr/bin/ml-connector"));
    let copied: BTreeSet<&str> = from_sources
        .iter()
        .flat_map(|words| words.split_last().expect("a place").1.iter().copied())
        .collect();
    for path in &copied {
        assert!(root().join(path).exists(), "{path} is not there");
    }
    let sent: BTreeSet<&str> = include_str!("../../.dockerignore")
        .lines()
        .filter_map(|line| line.strip_prefix('!'))
        .collect();
    assert_eq!(sent, copied, "what is sent to the builder is what it copies");

    // Whatever the program takes in when it is built.
    let mut built_in = 0;
    for path in sources(&root().join("src")) {
        let text = std::fs::read_to_string(&path).expect("readable");
        let text = text.split("#[cfg(test)]").next().expect("something");
        let is_test = path.components().any(|part| part.as_os_str() == "tests");
        if is_test || path.ends_with("tests.rs") {
            continue;
        }
        for name in text.split("include_str!(\"").skip(1) {
            let name = name.split('"').next().expect("its end");
            let here = path.parent().expect("a folder").join(name).canonicalize().expect(name);
            let from_root = here.strip_prefix(root()).expect("in the sources");
            let top = from_root.components().next().expect("a name").as_os_str();
            assert!(
                copied.contains(&*top.to_string_lossy()),
                "{} is not copied",
                from_root.display()
            );
            built_in += 1;
        }
    }
    assert!(built_in > 15, "{built_in}");

    let version = env!("CARGO_PKG_RUST_VERSION");
    assert!(file.contains(&format!("/rust:{version}-slim-bookworm AS builder\n")), "{version}");
    assert!(file.contains("/debian:bookworm-slim\n"), "the same Debian, so the same C library");
    assert_eq!(instructions(file, "USER"), [["10001:10001"]]);
    assert_eq!(instructions(file, "VOLUME"), [["/var/lib/ml-connector"]]);
    let list = |name| -> Vec<String> {
        let line = file.lines().find_map(|line| line.strip_prefix(name)).expect(name);
        serde_json::from_str(line).expect("a list")
    };
    let (entry, command) = (list("ENTRYPOINT "), list("CMD "));
    let words: Vec<&str> = entry.iter().chain(&command).map(String::as_str).collect();
    assert_eq!(words[0], "/usr/bin/ml-connector");
    is_understood(&words[1..]);
    for told in ["packaging/Containerfile", "10001", "0.0.0.0:8600"] {
        assert!(INSTALL.contains(told), "docs/install.md does not say {told}");
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(sources(&path)),
            path if path.extension().is_some_and(|end| end == "rs") => found.push(path),
            _ => {}
        }
    }
    found
}

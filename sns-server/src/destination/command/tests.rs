//! Real programs are run: `sh` and what it starts.

use super::*;
use samsung_sns::time::UnixTime;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::timeout;

fn command(toml: &str) -> Command {
    Command::new(toml::from_str(toml).unwrap()).unwrap()
}

/// `sh -c SCRIPT sh ARGUMENTS…`, run in that folder.
fn sh(folder: &TempDir, script: &str, rest: &str) -> Command {
    let script = format!("cd {}; {script}", folder.path().display());
    command(&format!("argv = [\"/bin/sh\", \"-c\", {script:?}, \"sh\"{rest}"))
}

/// The same by another name: placeholders may stand anywhere among the arguments of what is no known
/// shell.
fn program(folder: &TempDir, script: &str, rest: &str) -> Command {
    let script = format!("cd {}; {script}", folder.path().display());
    let program = folder.path().join("program");
    std::os::unix::fs::symlink("/bin/sh", &program).unwrap();
    command(&format!("argv = [{program:?}, \"-c\", {script:?}, \"program\"{rest}"))
}

fn email(folder: &TempDir, files: &[&str]) -> Post {
    let file = |name: &&str| {
        let path = folder.path().join(name);
        std::fs::write(&path, name).unwrap();
        PostFile {
            path,
            name: (*name).to_owned(),
            media_type: "image/jpeg".to_owned(),
            length: name.len() as u64,
            sha256: [0; 32],
            alt_text: String::new(),
        }
    };
    Post {
        id: "0193a1b2-0000-4000-8000-000000000001".to_owned(),
        received_at: UnixTime::from_secs(1_700_000_000),
        user: "me@example.com".to_owned(),
        channel: "email".to_owned(),
        sender: Some("Me <me@example.com>".to_owned()),
        recipients: vec!["a@example.com".to_owned(), "b@example.com".to_owned()],
        title: Some("Sea".to_owned()),
        typed: "At the sea~a boat".to_owned(),
        text: "At the sea".to_owned(),
        camera: None,
        files: files.iter().map(file).collect(),
    }
}

/// What was kept of earlier attempts, as the outbox keeps it.
#[derive(Default)]
struct Kept(Arc<Mutex<BTreeMap<String, String>>>);

impl Kept {
    fn progress(&self) -> Progress {
        let kept = Arc::clone(&self.0);
        let done = kept.lock().unwrap().clone();
        let keep = move |step: &str, value: &str| {
            kept.lock().unwrap().insert(step.to_owned(), value.to_owned());
            Ok(())
        };
        Progress::new(done, Arc::new(keep))
    }
}

/// The server is not stopped.
fn never() -> Recall {
    Recall::when(watch::channel(false).1)
}

async fn deliver(command: &Command, post: &Post) -> Result<String, Fault> {
    command.deliver(post, &mut Kept::default().progress(), &never()).await
}

fn read(folder: &TempDir, name: &str) -> String {
    std::fs::read_to_string(folder.path().join(name)).unwrap_or_default()
}

/// What was written with `printf '%s\0'`.
fn arguments(folder: &TempDir) -> Vec<String> {
    read(folder, "out").split_terminator('\0').map(str::to_owned).collect()
}

const WRITE: &str = "printf '%s\\0' \"$@\" > out";

#[tokio::test]
async fn what_came_over_the_air_is_one_argument_and_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let all = ", \"{sender}|{recipient}\", \"{subject}\", \"{body}\", \"{site} {user} {album}.\", \
               \"\", \"{filename}\"]\nper = \"post\"";
    let mut post = email(&folder, &["a b.jpg"]);
    let hostile = "$(touch evil) `touch evil`; touch evil \"'\\ {user} *\n|&\u{e9}";
    post.title = Some(hostile.to_owned());
    post.typed = "{subject}\0{filename}".to_owned();
    let command = program(&folder, WRITE, all);
    deliver(&command, &post).await.unwrap();
    let file = folder.path().join("a b.jpg");
    let expected = [
        "Me <me@example.com>|a@example.com, b@example.com",
        hostile,
        "{subject}{filename}",
        "email me@example.com .",
        "",
        file.to_str().unwrap(),
    ];
    assert_eq!(arguments(&folder), expected);
    assert!(!folder.path().join("evil").exists());

    let mut social = email(&folder, &["c.jpg"]);
    (social.channel, social.sender, social.recipients) = ("facebook".to_owned(), None, vec![]);
    social.title = Some("Holiday".to_owned());
    deliver(&command, &social).await.unwrap();
    let expected = ["me@example.com|", "", "At the sea~a boat", "facebook me@example.com Holiday."];
    assert_eq!(arguments(&folder)[..4], expected);
}

#[tokio::test]
async fn no_sender_chooses_an_option() {
    let folder = tempfile::tempdir().unwrap();
    let mut post = email(&folder, &[]);
    (post.title, post.typed) = (Some("--output=/etc/passwd".to_owned()), "-5 degrees".to_owned());
    post.sender = Some(String::new());
    let rest = ", \"{subject}\", \"-s{body}\", \"{sender}{body}\", \"x{body}\", \"--\", \
                \"{body}\"]\nper = \"post\"";
    deliver(&program(&folder, WRITE, rest), &post).await.unwrap();
    let expected =
        [" --output=/etc/passwd", "-s-5 degrees", " -5 degrees", "x-5 degrees", "--", "-5 degrees"];
    assert_eq!(arguments(&folder), expected);
}

#[tokio::test]
async fn an_argument_with_a_file_is_there_for_each_file() {
    let folder = tempfile::tempdir().unwrap();
    let rest = ", \"a\", \"{filename}\", \"--x={filename}\", \"z\"]\nper = \"post\"\n\
                stdin = \"{filename}\\n{body}\"";
    let command = program(&folder, &format!("{WRITE}; cat > in"), rest);
    deliver(&command, &email(&folder, &["1", "2"])).await.unwrap();
    let [one, two] = ["1", "2"].map(|name| folder.path().join(name).display().to_string());
    let expected =
        ["a", &one, &two, &format!("--x={one}"), &format!("--x={two}"), "z"].map(str::to_owned);
    assert_eq!(arguments(&folder), expected);
    assert_eq!(read(&folder, "in"), format!("{one}\n{two}\nAt the sea~a boat"));
    deliver(&command, &email(&folder, &[])).await.unwrap();
    assert_eq!(arguments(&folder), ["a", "z"]);
}

#[tokio::test]
async fn a_relative_data_folder_becomes_an_absolute_path() {
    let folder = tempfile::tempdir().unwrap();
    let mut post = email(&folder, &["a.jpg"]);
    post.files[0].path = "sns-data/photos/a.jpg".into();
    deliver(&sh(&folder, WRITE, ", \"{filename}\"]"), &post).await.unwrap();
    let expected = std::env::current_dir().unwrap().join("sns-data/photos/a.jpg");
    assert_eq!(arguments(&folder), [expected.to_str().unwrap()]);
}

/// The descriptors above 2 that any program we start gets, as they do not close on exec: we open
/// none like that.
fn inherited_by_ourselves() -> BTreeSet<String> {
    let name = |entry: io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
    let numbers = std::fs::read_dir("/proc/self/fd").unwrap().map(name);
    let passes = |number: &String| {
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}"));
        let flags = info
            .unwrap_or_default()
            .lines()
            .find_map(|line| u32::from_str_radix(line.strip_prefix("flags:")?.trim(), 8).ok());
        // O_CLOEXEC
        flags.is_some_and(|flags| flags & 0o2_000_000 == 0) && number.parse::<u32>().unwrap() > 2
    };
    numbers.map(|number| number.into_string().unwrap()).filter(passes).collect()
}

#[tokio::test]
async fn a_program_inherits_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(folder.path().join("secret")).unwrap();
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let script = "/usr/bin/env > out; ls -l /proc/self/fd > fds; \
                  cut -d' ' -f1,5 /proc/$$/stat > group";
    deliver(&sh(&folder, script, "]"), &email(&folder, &["a.jpg"])).await.unwrap();
    let names: BTreeSet<String> = read(&folder, "out")
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0.to_owned()))
        // The shell's own.
        .filter(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(&name.as_str()))
        .collect();
    let expected = "HOME LANG PATH SNS_ALBUM SNS_BODY SNS_FILENAME SNS_POST SNS_RECIPIENT SNS_SENDER \
                    SNS_SITE SNS_SUBJECT SNS_USER";
    assert_eq!(names.into_iter().collect::<Vec<_>>().join(" "), expected);
    let (group, ours) = (read(&folder, "group"), std::process::id().to_string());
    let group: Vec<&str> = group.split_whitespace().collect();
    assert!(group.len() == 2 && group[0] == group[1], "a group of its own: {group:?} in {ours}");
    // `ls` has its input and outputs, and the folder it lists; and what whoever started these tests
    // let through to all of us.
    let passed_on = inherited_by_ourselves();
    let descriptors: Vec<String> = read(&folder, "fds")
        .lines()
        .filter_map(|line| Some(line.split_once(" -> ")?.0.rsplit(' ').next()?.to_owned()))
        .filter(|number| !passed_on.contains(number))
        .collect();
    assert_eq!(descriptors, ["0", "1", "2", "3"]);
    assert!(read(&folder, "fds").contains("0 -> /dev/null"));
    drop((file, socket));
}

#[tokio::test]
async fn what_is_not_read_is_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let mut post = email(&folder, &["a.jpg"]);
    let command = command("argv = [\"true\"]\nstdin = \"{body}{body}{body}{body}{body}{body}\"");
    post.typed = "x".repeat(16 * 1024);
    assert_eq!(deliver(&command, &post).await.unwrap(), "ran true for each of 1 files");
}

#[tokio::test]
async fn the_exit_code_decides() {
    let folder = tempfile::tempdir().unwrap();
    let post = email(&folder, &["a.jpg"]);
    let transient = FaultKind::Transient { retry_after: None };
    for (script, kind, words) in [
        ("exit 75", transient, "exit status: 75"),
        ("kill -TERM $$", transient, "SIGTERM"),
        ("kill -KILL $$", transient, "SIGKILL"),
        ("kill -SEGV $$", FaultKind::Permanent, "SIGSEGV"),
        ("exit 1", FaultKind::Permanent, "exit status: 1"),
        ("echo fine; echo 'no \\033[1mpaper' >&2; exit 3", FaultKind::Permanent, "said last: no "),
    ] {
        let fault = deliver(&sh(&folder, script, "]"), &post).await.unwrap_err();
        assert_eq!(fault.kind, kind, "{script}: {fault}");
        assert!(fault.message.contains(words), "{script}: {fault}");
        assert!(fault.message.contains("/bin/sh") && !fault.message.contains(['\x1b', '\n']));
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_waits_for_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let post = email(&folder, &["a.jpg"]);
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "#!/bin/sh\n").unwrap();
    let plain = plain.to_str().unwrap();
    for (program, words) in [
        ("/nowhere/print", "/nowhere/print: No such file"),
        ("sns-no-such-program", "sns-no-such-program: there is none in /"),
        (plain, "may not be executed"),
        ("/", "is no file"),
    ] {
        let command = command(&format!("argv = [{program:?}]"));
        for fault in [deliver(&command, &post).await, command.probe().await] {
            let fault = fault.unwrap_err();
            assert_eq!(fault.kind, FaultKind::Permanent, "{fault}");
            assert!(fault.message.contains(words), "{fault}");
        }
    }
}

#[tokio::test]
async fn probing_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let line = sh(&folder, "touch ran", "]").probe().await.unwrap();
    assert_eq!(line, "/bin/sh can be run (it was not)");
    assert!(
        command("argv = [\"sh\"]").probe().await.unwrap().ends_with("/sh can be run (it was not)")
    );
    assert!(!folder.path().join("ran").exists());
}

#[tokio::test]
async fn a_retry_does_not_repeat_what_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let post = email(&folder, &["1", "2", "3"]);
    let script = "echo ${1##*/} >> ran; code=$(cat code-${1##*/}) && exit $code; exit 0";
    let command = sh(&folder, script, ", \"{filename}\"]");
    let say = |name: &str, code: &str| std::fs::write(folder.path().join(name), code).unwrap();
    let kept = Kept::default();

    // Trying again can help: what comes after it waits.
    say("code-2", "75");
    let fault = command.deliver(&post, &mut kept.progress(), &never()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Transient { retry_after: None });
    assert_eq!(read(&folder, "ran"), "1\n2\n");
    // It cannot: the others are served, and only the refused one is run again.
    say("code-2", "1");
    let fault = command.deliver(&post, &mut kept.progress(), &never()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Permanent);
    assert!(fault.message.contains("/2: program") && !fault.message.contains("/3:"), "{fault}");
    assert_eq!(read(&folder, "ran"), "1\n2\n2\n3\n");
    say("code-2", "0");
    command.deliver(&post, &mut kept.progress(), &never()).await.unwrap();
    assert_eq!(read(&folder, "ran"), "1\n2\n2\n3\n2\n");
    command.deliver(&post, &mut kept.progress(), &never()).await.unwrap();
    assert_eq!(read(&folder, "ran"), "1\n2\n2\n3\n2\n");
}

/// The process numbers written to a file, once there are as many.
async fn numbers(folder: &TempDir, count: usize) -> Vec<u32> {
    let began = Instant::now();
    loop {
        let numbers: Vec<u32> =
            read(folder, "pids").split_whitespace().flat_map(str::parse).collect();
        if numbers.len() == count {
            return numbers;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "the program does not start");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until it is no more, or a zombie that nobody has fetched.
async fn is_gone(number: u32) {
    let began = Instant::now();
    while std::fs::read_to_string(format!("/proc/{number}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap().starts_with(" Z"))
    {
        assert!(began.elapsed() < Duration::from_secs(30), "{number} is still there");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

const FOREVER: &str = "sleep 1000 & echo $! >> pids; echo $$ >> pids; trap '' TERM; wait";

#[tokio::test]
async fn all_of_it_ends_when_its_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let command = sh(&folder, FOREVER, "]\ntimeout = \"1s\"");
    let fault = deliver(&command, &email(&folder, &["a.jpg"])).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Transient { retry_after: None });
    assert!(fault.message.contains("within 1s"), "{fault}");
    for number in numbers(&folder, 2).await {
        is_gone(number).await;
    }
}

#[tokio::test]
async fn all_of_it_ends_when_nobody_waits_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let command = sh(&folder, FOREVER, "]");
    let post = email(&folder, &["a.jpg"]);
    let numbers = tokio::select! {
        _ = deliver(&command, &post) => panic!("it ended by itself"),
        numbers = numbers(&folder, 2) => numbers,
    };
    for number in numbers {
        is_gone(number).await;
    }
}

#[tokio::test]
async fn what_it_leaves_in_the_background_does_not_hold_us() {
    let folder = tempfile::tempdir().unwrap();
    let command = sh(&folder, "sleep 1000 & echo $! > pids; exit 0", "]");
    let post = email(&folder, &["a.jpg"]);
    timeout(Duration::from_secs(20), deliver(&command, &post)).await.unwrap().unwrap();
    let number = numbers(&folder, 1).await[0];
    let pid = rustix::process::Pid::from_raw(number.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn output_is_logged_line_by_line_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let script = "echo first; echo 'second \\033[31m' >&2; printf '\\377 third'; sleep 0.1; echo; \
                  yes 0123456789 | head -n 100000; head -c 3000000 /dev/zero | tr '\\0' z; echo; \
                  echo last; exit 1";
    let fault = deliver(&sh(&folder, script, "]"), &email(&folder, &["a.jpg"])).await.unwrap_err();
    assert!(fault.message.ends_with("it said last: last"), "{fault}");
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for words in ["said: first", "said: second \\u{1b}[31m", "said: \u{fffd} third", "too much"] {
        assert!(log.contains(words), "{words} is not in {}", &log[..1000]);
    }
    assert_eq!(log.matches("too much").count(), 1);
    let lines = log.matches("said: 0123456789").count();
    assert!((5_000..7_000).contains(&lines), "64 KiB of lines are {lines}");
    assert!(!log.contains("zzz"));
}

#[test]
fn a_mistake_is_told() {
    for (toml, words) in [
        ("argv = []", "argv is empty"),
        ("argv = [\"\"]", "no program"),
        ("argv = [\"{filename}\"]", "may hold no placeholder"),
        ("argv = [\"{what}\"]", "may hold no placeholder"),
        ("argv = [\"a\", \"{file}\"]", "argv: unknown placeholder {file}; there are {sender}"),
        ("argv = [\"a\"]\nstdin = \"{text}\"", "stdin: unknown placeholder {text}"),
        ("argv = [\"a\", \"\\u0000\"]", "NUL"),
        ("argv = [\"a\"]\ntimeout = \"0s\"", "timeout"),
    ] {
        let problem = Command::new(toml::from_str(toml).unwrap()).unwrap_err();
        assert!(problem.contains(words), "{toml}: {problem}");
    }
    for toml in ["", "argv = \"a\"", "argv = [\"a\"]\nper = \"day\"", "argv = [\"a\"]\nenv = 1"] {
        assert!(toml::from_str::<Keys>(toml).is_err(), "{toml}");
    }
}

#[test]
fn the_example_of_the_guide_is_understood() {
    let guide = include_str!("../../../../docs/guide/commands-and-webhooks.md");
    let example = guide.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let example: toml::Table = toml::from_str(example).unwrap();
    let mut keys = example["destinations"]["print"].as_table().unwrap().clone();
    assert_eq!(keys.remove("type").unwrap().as_str(), Some("command"));
    let command = Command::new(toml::Value::Table(keys).try_into().unwrap()).unwrap();
    assert_eq!((command.per, command.timeout), (Per::default(), a_minute()));
}

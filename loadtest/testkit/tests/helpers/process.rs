//! Programs under test, played by the shell.

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use testkit::process::{Launch, Process};
use testkit::wait_until::wait_until;

const DEADLINE: Duration = Duration::from_secs(10);

fn shell(script: &str) -> Launch {
    Launch::program("sh").argument("-c").argument(script)
}

#[tokio::test]
async fn output_of_both_streams_is_kept_and_waited_for() {
    let mut process = shell("echo listening on 4711; echo oops >&2; exec sleep 60").start();
    let line = process.wait_for_line("listening", DEADLINE).await;
    assert_eq!(line, "listening on 4711");
    process.wait_for_line("oops", DEADLINE).await;
    assert_eq!(process.wait_for_line("4711", DEADLINE).await, line, "found again");
    process.kill().await;
    assert!(process.output().contains("oops\n"));
}

#[tokio::test]
#[should_panic(expected = "sh printed no \"ready\" within")]
async fn a_program_that_ends_without_the_line_fails_the_test_at_once() {
    let process = shell("echo starting").start();
    process.wait_for_line("ready", Duration::from_hours(1)).await;
}

#[tokio::test]
async fn of_much_output_the_end_is_kept() {
    let mut process = shell("head -c 1000000 /dev/zero | tr '\\0' x; echo; echo the end").start();
    process.wait_for_line("the end", DEADLINE).await;
    assert!(process.wait(DEADLINE).await.success());
    let output = process.output();
    assert!(output.len() <= 256 << 10 && output.ends_with("x\nthe end\n"), "{} bytes", output.len());
}

#[tokio::test]
async fn terminate_lets_it_finish_and_kill_does_not() {
    let script = "trap 'echo bye; exit 7' TERM; echo up; while true; do sleep 0.05; done";
    let mut process = shell(script).start();
    process.wait_for_line("up", DEADLINE).await;
    process.terminate();
    assert_eq!(process.wait(DEADLINE).await.code(), Some(7));
    process.wait_for_line("bye", DEADLINE).await;

    let mut process = shell(script).start();
    process.wait_for_line("up", DEADLINE).await;
    process.kill().await;
    assert_eq!(process.wait(DEADLINE).await.signal(), Some(9));
    assert!(!process.output().contains("bye"));
}

#[tokio::test]
async fn a_dropped_process_is_killed() {
    let process = shell("echo up; exec sleep 60").start();
    process.wait_for_line("up", DEADLINE).await;
    let status = format!("/proc/{}/stat", process.id().unwrap());
    drop(process);
    wait_until(DEADLINE, "the process to end", async || match std::fs::read_to_string(&status) {
        Err(_) => Ok(()),
        // Dead, and not yet reaped by the runtime.
        Ok(status) if status.contains(") Z ") => Ok(()),
        Ok(status) => Err(status),
    })
    .await;
}

#[tokio::test]
async fn the_environment_is_what_the_test_gives_and_path() {
    let launch = shell("pwd; env").variable("FEISHU_SECRET", "s3cret").directory("/");
    for _ in 0..2 {
        let mut process: Process = launch.start();
        assert!(process.wait(DEADLINE).await.success());
        process.wait_for_line("FEISHU_SECRET=s3cret", DEADLINE).await;
        let output = process.output();
        assert!(output.starts_with("/\n"), "{output}");
        assert!(output.contains("\nPATH=") && !output.contains("CARGO_"), "{output}");
    }
}

#[test]
#[should_panic(expected = "no-such-binary is missing: run cargo build --workspace --bins first")]
fn a_missing_binary_says_how_to_build_it() {
    Launch::binary("no-such-binary");
}

//! A training whose process is killed or gets a signal, and is started again.

use std::process::{Command, Stdio};

use bert_test_support::{Workspace, repository};

use crate::training_support::{Processes, ended, error_line, signal};

#[test]
fn a_run_that_is_killed_again_and_again_ends_with_the_same_bits() {
    let workspace = Workspace::new();
    let flags = [
        "--num-train-epochs",
        "8",
        "--save-steps",
        "5",
        "--eval-steps",
        "30",
    ];
    workspace.train("whole", &flags);
    // tests/kill-and-resume.sh does this at random moments, as often as it is told to.
    for step in [2, 33, 71] {
        let mut child = workspace.start("killed", &flags);
        workspace.wait_for_step("killed", step);
        child.kill().unwrap();
        ended(child);
        assert!(!workspace.path("killed/model.safetensors").exists());
        assert!(
            workspace
                .checkpoints("killed")
                .iter()
                .filter(|n| n.starts_with("step-"))
                .count()
                <= 3
        );
    }
    let output = workspace.train("killed", &flags);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("going on after step"), "{stderr}");
    workspace.assert_equal_results("whole", "killed");
    let steps: Vec<u64> = (1..=96).collect();
    assert_eq!(workspace.logged_steps("killed"), steps);
    assert_eq!(
        workspace.checkpoints("killed"),
        workspace.checkpoints("whole")
    );
}

#[test]
fn a_signal_ends_a_run_after_the_step_in_flight() {
    let workspace = Workspace::new();
    // No run state is due: the signal alone makes one.
    let flags = [
        "--num-train-epochs",
        "12",
        "--gradient-accumulation-steps",
        "1",
    ];
    workspace.train("whole", &flags);
    for name in ["INT", "TERM", "HUP"] {
        let child = workspace.start("stopped", &flags);
        workspace.wait_for_step("stopped", workspace.logged_steps("stopped").len() + 9);
        signal(&child, name);
        let (code, stderr) = ended(child);
        assert_eq!(code, Some(1), "{stderr}");
        let steps = workspace.logged_steps("stopped");
        let last = *steps.last().unwrap();
        assert!(
            error_line(&stderr).contains(&format!("stopped after step {last} of 144")),
            "{stderr}"
        );
        let checkpoint = format!("step-{last:08}");
        assert!(workspace.checkpoints("stopped").contains(&checkpoint));
    }
    workspace.train("stopped", &flags);
    workspace.assert_equal_results("whole", "stopped");
}

/// `nohup` has the signal ignored before it starts a program.
#[test]
fn a_run_that_is_to_outlive_its_terminal_does() {
    let workspace = Workspace::new();
    let bert = workspace.command("out", &["--num-train-epochs", "3"]);
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' HUP; exec \"$@\"", "sh"])
        .arg(bert.get_program())
        .args(bert.get_args())
        .current_dir(repository())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    workspace.wait_for_step("out", 3);
    signal(&child, "HUP");
    let (code, stderr) = ended(child);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(workspace.logged_steps("out").len(), 36);
}

#[test]
fn a_second_signal_ends_a_run_at_once_and_loses_nothing_saved() {
    let workspace = Workspace::new();
    let flags = ["--num-train-epochs", "8", "--save-steps", "1"];
    let child = workspace.start("out", &flags);
    workspace.wait_for_step("out", 5);
    signal(&child, "INT");
    signal(&child, "INT");
    let (code, stderr) = ended(child);
    assert_eq!(code, Some(1), "{stderr}");
    workspace.train("out", &flags);
    workspace.train("whole", &flags);
    workspace.assert_equal_results("whole", "out");
}

//! `sns-cli models`, as people type it.
#![allow(clippy::unwrap_used)] // a test's helpers are tests

use samsung_sns::model::MODELS;
use std::process::{Command, Output};

fn models(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sns-cli")).arg("models").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn all_models_are_listed_in_a_line_each() {
    let output = models(&[]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout).lines().count(), MODELS.len() + 1);
}

#[test]
fn one_model_is_told_in_full_however_its_name_is_written() {
    for name in ["WB37F", "wb37f"] {
        let output = text(&models(&[name]).stdout);
        assert!(output.contains("MSN") && output.contains("refuses a redirect"), "{output}");
        assert!(output.contains("firmware seen working  unknown"), "{output}");
    }
}

#[test]
fn an_unknown_model_is_exit_code_2_and_names_those_that_are_known() {
    let output = models(&["NX9000"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(text(&output.stderr).contains("NX300"), "{}", text(&output.stderr));
    for (name, told) in
        [("EX2", "EX2: no model"), ("EX2", "like it are: EX2F"), ("\u{1b}[2J", "\\u{1b}[2J")]
    {
        let error = text(&models(&[name]).stderr);
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn a_model_is_found_by_the_name_on_its_front_and_by_its_other_name() {
    for (name, found) in
        [("Samsung NX300", "NX300\n"), ("SAMSUNG-SH100", "SH100\n"), ("CL65", "ST1000\n")]
    {
        let output = text(&models(&[name]).stdout);
        assert!(output.starts_with(found), "{name}: {output}");
    }
}

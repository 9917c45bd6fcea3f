//! Google's side of the `colab` link: sign-ins, the list of runtimes, and every way in which they fail.
#![cfg(target_os = "linux")]

use moorline_tests::google::{Google, SCOPES, Vm};
use moorline_tests::{Desktop, Internet, Stage};

const TOKEN_FILE: &str = ".config/colab-cli/token.json";
const ADC_FILE: &str = ".config/gcloud/application_default_credentials.json";

/// A person who is signed in with google-colab-cli, and an account without runtimes.
struct Scene {
    stage: Stage,
    internet: Internet,
    google: Google,
    _desktop: Desktop,
}

impl Scene {
    fn begin() -> Self {
        let stage = Stage::new();
        let desktop = Desktop::start(&stage);
        let internet = Internet::start(&stage);
        let google = Google::start(&internet);
        stage.put(TOKEN_FILE, google.sign_in().colab_cli_file());
        Self { stage, internet, google, _desktop: desktop }
    }

    fn dry(&self, more: &[&str]) -> moorline_tests::Outcome {
        let arguments = [&["add", "colab", "--yes", "--dry-run", "--colab"], more].concat();
        self.stage.moorline(&arguments)
    }

    fn vm(&self, endpoint: &str) {
        self.google.begin(&self.internet, Vm::new(endpoint));
    }
}

#[test]
fn the_accounts_runtimes_are_found_with_the_sign_in_that_is_there() {
    let scene = Scene::begin();
    scene.dry(&[]).fails("there is no runtime").says("no runtime; connect a notebook");
    scene.vm("gpu-t4-s-one");
    scene.dry(&[]).works("the only runtime is meant").says("colab gpu-t4-s-one").says("compute-unit balance");
    scene.vm("m-s-two");
    let which = scene.dry(&[]).fails("there are two, and nobody to ask");
    which.says("gpu-t4-s-one (T4)").says("m-s-two (CPU)").says("--colab RUNTIME");
    scene.dry(&["m-s-two"]).works("one is named").says("colab m-s-two");
    scene.dry(&["gpu-gone"]).fails("it is not there").says("no runtime gpu-gone; it has:");
    // google-colab-cli's own names are offered, and understood in what it prints.
    let sessions = r#"{"trainer":{"name":"trainer","token":"t","url":"u","endpoint":"m-s-two"}}"#;
    scene.stage.put(".config/colab-cli/sessions.json", sessions);
    scene.dry(&[]).fails("two still").says("m-s-two (CPU, trainer)");
    let add = ["add", "--yes", "--dry-run", "--from", "-"];
    let line = "[trainer] gpu-t4-s-one | Hardware: T4 | Shape: Standard | Variant: GPU | Status: IDLE\n";
    scene.stage.moorline_reads(&add, line).works("a status line").says("colab gpu-t4-s-one");
    let block =
        "Host x\n  ProxyCommand /h/.local/bin/colab ssh --proxy-mode -s trainer --gpu T4\n  User root\n";
    scene.stage.moorline_reads(&add, block).works("its config block").says("colab m-s-two");
    let other = block.replace("trainer", "elsewhere");
    scene.stage.moorline_reads(&add, &other).fails("not listed here").says("moorline add NAME --colab");
    assert_eq!(scene.google.refused(), [""; 0], "nothing is sent that Google's own clients do not send");
    let hosts = scene.internet.asked();
    let google = |host: &String| host.ends_with(".googleapis.com") || host == "colab.research.google.com";
    assert!(hosts.iter().all(google), "a sign-in's own token address is not believed: {hosts:?}");
}

#[test]
fn every_failure_is_named_with_the_next_step() {
    let scene = Scene::begin();
    scene.vm("gpu-t4-s-one");
    for (trouble, says) in [
        ((403, "{}"), "refuses this account (403)"),
        ((404, ""), "(404)"),
        ((429, ""), "asked too often (429)"),
        ((500, "oh"), "does not work just now (500)"),
        ((503, ""), "does not work just now (503)"),
        ((302, ""), "status 302"),
        ((200, "<html>sign in to the hotel's network</html>"), "makes no sense (it is not JSON)"),
        ((200, ")]}'\n{\"assignments\":[{\"endpoint\":"), "makes no sense (it is cut off)"),
    ] {
        scene.google.trouble(Some(trouble));
        scene.dry(&[]).fails("Google is in trouble").says(says);
    }
    let endless = "x".repeat(3 << 20);
    scene.google.trouble(Some((200, &endless)));
    scene.dry(&[]).fails("an endless answer").says("longer than 1 MiB");
    scene.google.trouble(None);
    scene.google.set_scopes("openid https://www.googleapis.com/auth/cloud-platform");
    scene.dry(&[]).fails("the sign-in covers too little").says("does not cover Colab").says("gcloud auth");
    scene.google.set_scopes(SCOPES);
    scene.internet.forget("colab.research.google.com");
    scene.dry(&[]).fails("Colab is out of reach").says("colab.research.google.com cannot be reached");
    scene.internet.forget("oauth2.googleapis.com");
    scene.dry(&[]).fails("Google is out of reach").says("oauth2.googleapis.com cannot be reached");
    assert_eq!(scene.google.refused(), [""; 0]);
}

#[test]
fn a_sign_in_that_is_gone_is_replaced_by_another_one() {
    let scene = Scene::begin();
    scene.vm("gpu-t4-s-one");
    let good = scene.google.sign_in();
    for secret in [&good.refresh_token, &good.client_secret] {
        // They lie in the other programs' own files, and must lie nowhere else in the end.
        assert!(scene.stage.text(TOKEN_FILE).contains(secret.as_str()));
    }
    let mut old = good.clone();
    old.refresh_token = "1//0withdrawn".to_owned();
    scene.stage.put(TOKEN_FILE, old.colab_cli_file());
    scene.dry(&[]).fails("it was withdrawn").says("invalid_grant").says("token.json");
    scene.stage.put(ADC_FILE, good.gcloud_file());
    scene.dry(&[]).works("gcloud's does").says("colab gpu-t4-s-one");
    let set = ["secret", "set", "google-refresh-token"];
    scene.stage.moorline(&[&set[..], &["--from-gcloud"]].concat()).works("it is copied");
    scene.stage.moorline(&["secret", "list"]).works("it is listed").says("google-refresh-token");
    for file in [TOKEN_FILE, ADC_FILE] {
        std::fs::remove_file(scene.stage.home().join(file)).expect("the person deletes the file");
    }
    scene.stage.hide(&good.refresh_token);
    scene.stage.hide(&good.client_secret);
    scene.dry(&[]).works("the copy does").says("colab gpu-t4-s-one");
    scene
        .stage
        .moorline(&[&set[..], &["--from-colab-cli"]].concat())
        .fails("no file")
        .says("sign in with that program");
    scene.google.withdraw();
    scene.dry(&[]).fails("withdrawn for good").says("the keyring no more (invalid_grant)");
    scene.stage.moorline(&["secret", "delete", "google-refresh-token"]).works("it is deleted");
    scene.dry(&[]).fails("nobody is signed in").says("nobody is signed in to Google here");
    assert_eq!(scene.google.refused(), [""; 0]);
}

use super::*;

const LIST: &str = r#")]}'
{"assignments":[
 {"accelerator":"T4","endpoint":"gpu-t4-s-abc","variant":1,"machineShape":1,
  "runtimeProxyInfo":{"token":"tok-1","tokenExpiresInSeconds":3600,"url":"https://8080-gpu-t4-s-abc.us-west1-1.prod.colab.dev"}},
 {"accelerator":"NONE","endpoint":"m-s-def","variant":0,"machineShape":0,
  "runtimeProxyInfo":{"token":"tok-2","tokenExpiresInSeconds":60,"url":"https://h.example:443/tun/m/m-s-def/"}}
]}"#;

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn with_url(url: &str) -> String {
    format!(
        r#"{{"assignments":[{{"endpoint":"e","runtimeProxyInfo":{{"token":"t","tokenExpiresInSeconds":1,"url":"{url}"}}}}]}}"#
    )
}

#[test]
fn runtimes_are_read_behind_the_guard_and_without_it() {
    for text in [LIST, LIST.strip_prefix(")]}'\n").unwrap()] {
        let listed = assignments(text, now()).unwrap();
        let [gpu, plain] = &listed[..] else { panic!("two runtimes: {listed:?}") };
        assert_eq!(
            (gpu.endpoint.as_str(), gpu.accelerator.as_deref(), gpu.high_ram),
            ("gpu-t4-s-abc", Some("T4"), true)
        );
        assert_eq!(gpu.access.host.as_str(), "8080-gpu-t4-s-abc.us-west1-1.prod.colab.dev");
        assert_eq!(gpu.access.expires.duration_since(now()), SignedDuration::from_secs(3600));
        assert!(gpu.access.is_fresh(now()) && gpu.path.is_empty());
        assert_eq!(
            (plain.accelerator.as_deref(), plain.high_ram, plain.path.as_str()),
            (None, false, "/tun/m/m-s-def")
        );
        assert!(!plain.access.is_fresh(now()), "a minute is less than the margin");
    }
    assert!(assignments(r#"{"assignments":[]}"#, now()).unwrap().is_empty());
    assert!(assignments("{}", now()).unwrap().is_empty(), "an account with no runtime");
}

#[test]
fn a_runtime_whose_address_or_id_is_not_sound_is_left_out() {
    assert_eq!(assignments(&with_url("https://h.example"), now()).unwrap().len(), 1);
    for url in [
        "http://h.example",
        "https://h.example:8443",
        "https://user@h.example",
        "https://h.example?x=1",
        "https://h.example/a?b",
        "https://h.example/../x",
        "https://h.example/a b",
        "https://-h",
        "https://",
        "https://$(x)",
    ] {
        assert!(assignments(&with_url(url), now()).unwrap().is_empty(), "{url}");
    }
    let odd = with_url("https://h.example").replace(r#""endpoint":"e""#, r#""endpoint":"e/../x""#);
    assert!(assignments(&odd, now()).unwrap().is_empty());
}

#[test]
fn what_shows_a_runtime_shows_no_token() {
    let listed = assignments(LIST, now()).unwrap();
    let shown = format!("{listed:?}");
    assert!(shown.contains("gpu-t4-s-abc") && !shown.contains("tok-"), "{shown}");
}

#[test]
fn an_answer_of_another_kind_is_refused_without_quoting_it() {
    for (text, why) in [
        ("<html>sign in</html>", "not JSON"),
        ("", "cut off"),
        (&LIST[..200], "cut off"),
        (r#"{"assignments":[{"endpoint":"e","runtimeProxyInfo":{"token":7}}]}"#, "another type"),
        (r#"{"assignments":"secret"}"#, "another type"),
    ] {
        let said = assignments(text, now()).unwrap_err();
        assert!(said.contains(why) && !said.contains("secret"), "{text}: {said}");
    }
}

#[test]
fn units_and_their_rate() {
    let read =
        balance(")]}'\n{\"currentBalance\":87.42,\"consumptionRateHourly\":1.54,\"assignmentsCount\":1}")
            .unwrap();
    assert_eq!(read, Balance { units: 87.42, per_hour: 1.54 });
    assert!(balance(r#"{"currentBalance":1e300,"consumptionRateHourly":0}"#).is_err());
    assert!(balance("{}").is_err());
}

#[test]
fn vitals_of_a_machine_with_and_without_accelerators() {
    let read = resources(
        r#"{"memory":{"totalBytes":1000,"freeBytes":400},
            "gpus":[{"name":"Tesla T4","memoryUsedBytes":5,"memoryTotalBytes":15,"gpuUtilization":0.37}],
            "disks":[{"filesystem":{"label":"kaggle/input","totalBytes":900,"usedBytes":1}},
                     {"filesystem":{"label":"/content","totalBytes":100,"usedBytes":200}},{}]}"#,
    )
    .unwrap();
    assert_eq!(read.memory, Some(Usage { used: 600, total: 1000 }));
    assert_eq!(read.disk, Some(Usage { used: 100, total: 100 }), "the labelled one, and never more than all");
    assert_eq!((read.gpus[0].name.as_str(), read.gpus[0].load), ("Tesla T4", Some(37)));
    assert_eq!(resources("{}").unwrap(), Resources::default());
    let bent = resources(
        r#"{"memory":{"totalBytes":1,"freeBytes":2},"gpus":[{"name":"\u202ex","gpuUtilization":370}]}"#,
    );
    let bent = bent.unwrap();
    assert_eq!((bent.memory, bent.gpus[0].load), (None, Some(100)));
    assert!(!bent.gpus[0].name.contains('\u{202e}'));
}

#[test]
fn the_newest_sign_of_life_of_all_kernels_counts() {
    let read = kernels(
        r#"[{"id":"a","execution_state":"idle","last_activity":"2026-11-21T10:00:00.123456Z"},
            {"id":"b","execution_state":"busy","last_activity":"2026-11-21T10:05:00Z"},
            {"id":"c","last_activity":"not a time"}]"#,
    )
    .unwrap();
    assert_eq!(read, Kernels { busy: true, last_activity: Some("2026-11-21T10:05:00Z".parse().unwrap()) });
    assert_eq!(kernels("[]").unwrap(), Kernels::default());
}

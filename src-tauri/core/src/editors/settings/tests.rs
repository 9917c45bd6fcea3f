use std::path::Path;

use jsonc_parser::ParseOptions;
use proptest::prelude::*;

use super::super::search::tests::Machine;
use super::*;

fn alias() -> Alias {
    "colab".parse().unwrap()
}

fn added(settings: &str) -> String {
    let text = platform_setting(settings, &alias()).unwrap().expect("the alias was not there before");
    assert_eq!(platform_setting(&text, &alias()), Ok(None), "a second time changes nothing");
    text
}

#[test]
fn adding_keeps_every_other_byte() {
    for (why, given, wanted) in [
        (
            "comments and a trailing comma",
            "// mine\n{\n  /* a */ \"editor.fontSize\": 14, // b\n  \"x\": [1,2 ,3],\n}\n// end\n",
            "// mine\n{\n  /* a */ \"editor.fontSize\": 14, // b\n  \"x\": [1,2 ,3],\n  \"remote.SSH.remotePlatform\": {\n    \"colab\": \"linux\",\n  },\n}\n// end\n",
        ),
        (
            "no trailing comma, no final newline, tabs",
            "{\n\t\"a\" : true // last\n}",
            "{\n\t\"a\" : true, // last\n\t\"remote.SSH.remotePlatform\": {\n\t\t\"colab\": \"linux\"\n\t}\n}",
        ),
        (
            "CRLF",
            "{\r\n    \"a\": 1\r\n}\r\n",
            "{\r\n    \"a\": 1,\r\n    \"remote.SSH.remotePlatform\": {\r\n        \"colab\": \"linux\"\r\n    }\r\n}\r\n",
        ),
        (
            "other machines are marked already",
            "{\n  \"remote.SSH.remotePlatform\": {\n    \"box\": \"linux\", // keep\n    \"win\": \"windows\"\n  },\n  \"z\": {\"a\": {}}\n}\n",
            "{\n  \"remote.SSH.remotePlatform\": {\n    \"box\": \"linux\", // keep\n    \"win\": \"windows\",\n    \"colab\": \"linux\"\n  },\n  \"z\": {\"a\": {}}\n}\n",
        ),
        (
            "the same name nested elsewhere is not it",
            "{\n  \"[python]\": { \"remote.SSH.remotePlatform\": { \"colab\": \"linux\" } }\n}\n",
            "{\n  \"[python]\": { \"remote.SSH.remotePlatform\": { \"colab\": \"linux\" } },\n  \"remote.SSH.remotePlatform\": {\n    \"colab\": \"linux\"\n  }\n}\n",
        ),
        (
            "marked as something else",
            "{\n  \"remote.SSH.remotePlatform\": { \"colab\" : \"macOS\" /* why */ }\n}\n",
            "{\n  \"remote.SSH.remotePlatform\": { \"colab\" : \"linux\" /* why */ }\n}\n",
        ),
        (
            "a name that stands twice: the editor takes the last",
            "{\n  \"remote.SSH.remotePlatform\": {\"colab\": \"linux\"},\n  \"remote.SSH.remotePlatform\": {\"colab\": \"windows\"}\n}\n",
            "{\n  \"remote.SSH.remotePlatform\": {\"colab\": \"linux\"},\n  \"remote.SSH.remotePlatform\": {\"colab\": \"linux\"}\n}\n",
        ),
        (
            "a name written with escapes; only the list that grows is spread over lines",
            "{\n  \"remote.SSH.remote\\u0050latform\": {\"c\": \"linux\" /* box */}, \"x\": {\"y\": 1}\n}\n",
            "{\n  \"remote.SSH.remote\\u0050latform\": {\n    \"c\": \"linux\", /* box */\n    \"colab\": \"linux\"\n  }, \"x\": {\"y\": 1}\n}\n",
        ),
        (
            "a byte order mark",
            "\u{feff}{\n  \"ä\": \"日\"\n}\n",
            "\u{feff}{\n  \"ä\": \"日\",\n  \"remote.SSH.remotePlatform\": {\n    \"colab\": \"linux\"\n  }\n}\n",
        ),
    ] {
        assert_eq!(added(given), wanted, "{why}");
    }
}

#[test]
fn an_empty_file_becomes_settings() {
    for given in ["", "\n", "{}", "{\n}\n"] {
        let text = added(given);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["remote.SSH.remotePlatform"]["colab"], "linux", "from {given:?}");
    }
    let text = added("// only a comment\n");
    assert!(text.starts_with("// only a comment\n"), "{text}");
}

#[test]
fn removing_undoes_adding() {
    for given in [
        "// mine\n{\n  /* a */ \"editor.fontSize\": 14, // b\n  \"x\": [1,2 ,3],\n}\n// end\n",
        "{\n\t\"a\" : true // last\n}",
        "{\r\n    \"a\": 1\r\n}\r\n",
        "{\n  \"remote.SSH.remotePlatform\": {\n    \"box\": \"linux\", // keep\n    \"win\": \"windows\"\n  },\n  \"z\": 1\n}\n",
    ] {
        let text = without_platform_setting(&added(given), &alias()).unwrap().unwrap();
        assert_eq!(text, given);
        assert_eq!(without_platform_setting(given, &alias()), Ok(None), "it is not there to begin with");
    }
    assert_eq!(without_platform_setting("", &alias()), Ok(None));
}

#[test]
fn removing_takes_one_entry_and_its_comma_only() {
    for (given, wanted) in [
        (
            r#"{"remote.SSH.remotePlatform": {"colab": "linux", "b": "linux"}}"#,
            r#"{"remote.SSH.remotePlatform": { "b": "linux"}}"#,
        ),
        (
            r#"{"remote.SSH.remotePlatform": {"b": "linux", "colab": "linux"}}"#,
            r#"{"remote.SSH.remotePlatform": {"b": "linux"}}"#,
        ),
        (
            r#"{"remote.SSH.remotePlatform": {"b": "linux" /*,*/, /*,*/ "colab": "linux" /*,*/ , }}"#,
            r#"{"remote.SSH.remotePlatform": {"b": "linux" /*,*/, /*,*/ /*,*/  }}"#,
        ),
        (
            "{\n  \"remote.SSH.remotePlatform\": {\n    \"colab\": \"linux\", // why\n    \"b\": \"linux\"\n  }\n}",
            "{\n  \"remote.SSH.remotePlatform\": {\n    // why\n    \"b\": \"linux\"\n  }\n}",
        ),
        (
            "{\n  \"remote.SSH.remotePlatform\": {\n    // keep me\n    \"colab\": \"linux\",\n  },\n}",
            "{\n  \"remote.SSH.remotePlatform\": {\n    // keep me\n  },\n}",
        ),
        ("{\"remote.SSH.remotePlatform\": {\"colab\": \"linux\"}, \"a\": 1}", "{ \"a\": 1}"),
        ("{\"a\": 1, // b\n\"remote.SSH.remotePlatform\": {\"colab\": \"x\"}}", "{\"a\": 1 // b\n}"),
    ] {
        assert_eq!(without_platform_setting(given, &alias()).unwrap().as_deref(), Some(wanted), "{given}");
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_its_line() {
    for given in [
        "{\n  \"a\": 1\n  \"b\": 2\n}",
        "{\n  \"a\": ,\n}",
        "{\n  a: 1\n}",
        "{\n  'a': 1\n}",
        "{\n  \"a\": 1\n",
        "[]\n",
        "3",
        "{} {}",
    ] {
        for result in [platform_setting(given, &alias()), without_platform_setting(given, &alias())] {
            let error = result.expect_err(given).to_string();
            assert!(error.starts_with("the settings cannot be read (line "), "{given:?}: {error}");
        }
    }
    let error = platform_setting("{\n  \"a\": 1\n  \"b\": 2\n}", &alias()).unwrap_err().to_string();
    assert!(error.contains("(line 2") || error.contains("(line 3"), "{error}");
    for given in ["{\"remote.SSH.remotePlatform\": []}", "{\"remote.SSH.remotePlatform\": null}"] {
        assert!(
            matches!(platform_setting(given, &alias()), Err(SettingsError::Unexpected { .. })),
            "{given}"
        );
    }
}

#[test]
fn another_config_file_is_seen() {
    let given = "{\n  // \"remote.SSH.configFile\": \"/old\",\n  \"remote.SSH.configFile\": \"/home/ada/\\u0063fg\",\n}";
    assert_eq!(config_file_setting(given), Ok(Some("/home/ada/cfg".to_owned())));
    for unset in ["", "{}", "{\"remote.SSH.configFile\": \"\"}"] {
        assert_eq!(config_file_setting(unset), Ok(None));
    }
    assert!(config_file_setting("{\"remote.SSH.configFile\": 3}").is_err());
}

#[test]
fn each_system_keeps_settings_in_its_own_place() {
    let place = |os, editor| {
        let machine = Machine::new(os);
        let path = settings_file(editor, &machine.search)?;
        Some(path.strip_prefix(machine.root.path()).unwrap().to_owned())
    };
    for (os, editor, wanted) in [
        (Os::Linux, Editor::VsCode, "home/ada/.config/Code/User/settings.json"),
        (Os::Linux, Editor::VsCodium, "home/ada/.config/VSCodium/User/settings.json"),
        (Os::Linux, Editor::Cursor, "home/ada/.config/Cursor/User/settings.json"),
        (
            Os::MacOs,
            Editor::VsCodeInsiders,
            "home/ada/Library/Application Support/Code - Insiders/User/settings.json",
        ),
        (Os::Windows, Editor::Windsurf, "home/ada/AppData/Roaming/Windsurf/User/settings.json"),
    ] {
        assert_eq!(place(os, editor).as_deref(), Some(Path::new(wanted)));
    }
    assert_eq!(place(Os::Linux, Editor::PyCharm), None);
    let mut machine = Machine::new(Os::Linux);
    machine.search.config_home = Some(PathBuf::from("/cfg"));
    let path = settings_file(Editor::VsCode, &machine.search).unwrap();
    assert_eq!(path, PathBuf::from("/cfg/Code/User/settings.json"));
}

/// Values, comments and spacing as people's settings have them, none with our setting in it.
fn any_settings() -> impl Strategy<Value = String> {
    let value = prop::sample::select(vec![
        "1",
        "true",
        "null",
        "\"a\"",
        "\"\\\"}\"",
        "[1, 2 ,]",
        "[]",
        "{}",
        "{ \"n\": {\"m\":[{}]}, }",
        "-1.5e3",
    ]);
    let space = prop::sample::select(vec!["", " ", "\n  ", "\r\n\t", " /* , } */ ", " // { \"\n"]);
    let property = (0..1000u32, space.clone(), value, space.clone())
        .prop_map(|(name, before, value, after)| format!("{before}\"k{name}\":{value}{after}"));
    (space.clone(), prop::collection::vec(property, 0..6), any::<bool>(), space).prop_map(
        |(before, properties, trailing, after)| {
            let comma = if trailing && !properties.is_empty() { "," } else { "" };
            format!("{before}{{{}{comma}{after}}}", properties.join(","))
        },
    )
}

proptest! {
    #[test]
    fn whatever_the_spacing_the_rest_of_the_settings_means_the_same(settings in any_settings()) {
        let meaning = |text: &str| {
            CstRootNode::parse(text, &ParseOptions::default())
                .unwrap()
                .object_value()
                .unwrap()
                .properties()
                .iter()
                .map(|property| (property.decoded_name().unwrap(), property.value().unwrap().to_string()))
                .collect::<Vec<_>>()
        };
        let comments = |text: &str| text.matches("/*").count() + text.matches("//").count();
        let before = meaning(&settings);
        let text = added(&settings);
        let after = meaning(&text);
        prop_assert_eq!(&after[..before.len()], &before[..]);
        prop_assert_eq!(after.len(), before.len() + 1);
        prop_assert_eq!(comments(&text), comments(&settings), "{}", text);
        let back = without_platform_setting(&text, &alias()).unwrap().unwrap();
        prop_assert_eq!(meaning(&back), before);
        prop_assert_eq!(comments(&back), comments(&settings), "{}", back);
    }
}

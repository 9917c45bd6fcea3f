//! A session's channels, and what its cell is told of the folder.

use moorline_model::channel_settings::ChannelKind;

use super::*;

#[test]
fn channels_are_read_written_and_refused_by_line() {
    let (_temp, path) = write("");
    let text = "version = 1\n\n[session.colab] # mine\nlink = \"direct\"\nhost = \"h\"\nport = 1\n";
    let with = |more: &str| {
        fs::write(&path, format!("{text}{more}")).unwrap();
        SessionsFile::load(&path)
    };
    let colab = alias("colab");
    assert_eq!(with("").unwrap().channels(&colab), ChannelSettings::default());
    let said = with(
        "channels = [\"ntfy\", \"folder\"]\nannounce_folder = \"/d\"\nntfy_server = \"https://n.example\"\n",
    );
    let said = said.unwrap().channels(&colab);
    assert_eq!(said.channels, [ChannelKind::Ntfy, ChannelKind::Folder]);
    assert_eq!(said.ntfy_server.to_string(), "https://n.example");
    for (bad, why) in [
        ("channels = \"ntfy\"\n", "must be a list"),
        ("channels = [\"smoke\"]\n", "must be a list"),
        ("announce_folder = \"Drive\"\n", "absolute"),
        ("ntfy_server = \"http://n.example\"\n", "https://"),
    ] {
        let error = with(bad).unwrap_err().to_string();
        assert!(error.contains(why) && error.contains("line 7"), "{bad}: {error}");
    }
    let mut file = with("# stays\n").unwrap();
    assert!(file.set_channels(&colab, said.clone()) && file.save().unwrap());
    assert_eq!(SessionsFile::load(&path).unwrap().channels(&colab), said);
    assert!(file.set_channels(&colab, ChannelSettings::default()) && file.save().unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap().replace("# stays\n", ""), text);
}

#[test]
fn a_folder_channel_without_a_folder_is_not_there_and_all_else_is() {
    let (_temp, path) = write(
        "[session.a]\nlink = \"direct\"\nhost = \"h\"\nport = 1\nchannels = [\"ntfy\", \"folder\"]\n\n\
         [session.b]\nlink = \"direct\"\nhost = \"h\"\nport = 1\n",
    );
    let file = SessionsFile::load(&path).unwrap();
    let said = file.channels(&alias("a"));
    assert_eq!(said.channels, [ChannelKind::Ntfy, ChannelKind::Folder]);
    assert!(said.lacks_folder());
    assert!(file.get(&alias("b")).is_some() && !file.channels(&alias("b")).lacks_folder());
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let text = "[session.colab]\nlink = \"direct\"\nhost = \"h\"\nport = 1\n";
    let (_temp, path) = write(text);
    let mut file = SessionsFile::load(&path).unwrap();
    let wrong = ChannelSettings { folder: Some("Drive".into()), ..Default::default() };
    assert!(file.set_channels(&alias("colab"), wrong));
    assert!(file.save().unwrap_err().to_string().contains("absolute"));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn the_runtimes_folder_is_written_into_the_cells_table() {
    let there: RemotePath = "/content/drive/MyDrive/x".parse().unwrap();
    let session = "link = \"direct\"\nhost = \"h\"\nport = 1\n";
    let other = "\n[session.other]\nlink = \"direct\"\nhost = \"h\"\nport = 1\n";
    for text in [
        format!("[session.colab]\n{session}{other}"),
        format!(
            "[session.colab]\n{session}[session.colab.cell] # mine\ndrive = true\nfolder = \"/old\"\n{other}"
        ),
        "[session]\ncolab = { link = \"direct\", host = \"h\", port = 1 }\n".to_owned(),
    ] {
        let (_temp, path) = write(&text);
        let mut file = SessionsFile::load(&path).unwrap();
        let before = file.remembered(&alias("colab")).cell;
        assert!(file.set_cell_folder(&alias("colab"), there.clone()) && file.save().unwrap(), "{text}");
        let file = SessionsFile::load(&path).unwrap();
        let after = file.remembered(&alias("colab")).cell;
        assert_eq!(
            after,
            moorline_model::cell_options::CellOptions { folder: Some(there.clone()), ..before },
            "{text}"
        );
        assert!(!file.remembered(&alias("other")).cell.drive);
    }
}

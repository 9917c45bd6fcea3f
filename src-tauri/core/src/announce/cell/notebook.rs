//! A notebook around a cell (nbformat 4.5, <https://nbformat.readthedocs.io/en/latest/format_description.html>).

use moorline_ssh_files::Alias;
use serde_json::{Value, json};

/// What a person should know before they open a way in on Google's machines (Colab's FAQ, "What are the limitations").
pub(super) const TERMS: &str = "Colab's FAQ names remote control such as SSH shells among what free runtimes without a \
    positive compute-unit balance may be ended for, and accounts have been banned; a paid balance lifts that.";

/// A notebook that holds this setup cell, and opens with what one should know.
pub fn notebook(session: &Alias, cell: &str) -> String {
    let opening = format!(
        "## {session}\n\n**Before you run this:** {TERMS}\n\nOnce: put the session key into this notebook's secrets. \
         Then run the cell; Moorline on your desktop follows by itself."
    );
    let whole = json!({
        "cells": [
            { "cell_type": "markdown", "id": "moorline-terms", "metadata": {}, "source": lines(&opening) },
            {
                "cell_type": "code", "execution_count": null, "id": "moorline-setup", "metadata": {}, "outputs": [],
                "source": lines(cell),
            },
        ],
        "metadata": {
            "colab": { "name": format!("{session}.ipynb"), "provenance": [] },
            "kernelspec": { "display_name": "Python 3", "language": "python", "name": "python3" },
            "language_info": { "name": "python" },
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    });
    format!("{whole:#}\n")
}

/// A source is a list of lines with their ends.
fn lines(text: &str) -> Vec<Value> {
    text.split_inclusive('\n').map(Value::from).collect()
}

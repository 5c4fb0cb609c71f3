//! `cargo xtask verify page`: the timeline page of a run, in a real browser.
//!
//! Runs the hosted scheduler for two seconds, opens the page it left in headless Chromium, light and dark, and looks for
//! a row for each CPU, wake and steal arrows, and a console without a word. Then it takes a picture of it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::command::Command;
use crate::workspace::Workspace;

const CPUS: u32 = 8;
const PICTURE: &str = "docs/timeline.png";
const MOST_PICTURE_BYTES: u64 = 300_000;
const BROWSERS: [&str; 2] = ["chromium", "chromium-browser"];
const WINDOW: &str = "--window-size=1440,900";

pub(crate) fn run(workspace: &Workspace, picture: bool) -> Result<u64> {
    let browser = BROWSERS
        .into_iter()
        .find(|name| {
            let version = Command::new(name).arg("--version").quietly().output();
            version.is_ok_and(|output| output.success())
        })
        .context("chromium is missing: apt-get install --no-install-recommends chromium")?;
    let folder = workspace.target_for("page");
    Command::new("cargo")
        .directory(&workspace.root)
        .target_dir(&workspace.target)
        .words("build --release --package demo")
        .check()?;
    Command::new(workspace.target.join("release/demo"))
        .words("--seconds 2 --cpus")
        .arg(CPUS.to_string())
        .arg("--out")
        .arg(&folder)
        .limit(Duration::from_secs(60))
        .check()?;
    let page = format!("file://{}", folder.join("timeline.html").display());
    for dark in [false, true] {
        let seen = open(browser, &folder, dark, &["--dump-dom"], &page)?;
        check(&seen, CPUS, dark)?;
    }
    println!(
        "a row for each of {CPUS} CPUs, wake and steal arrows, and a clean console, light and dark"
    );
    if picture {
        let file = workspace.root.join(PICTURE);
        std::fs::create_dir_all(workspace.root.join("docs"))?;
        open(browser, &folder, false, &[&format!("--screenshot={}", file.display())], &page)?;
        let bytes = std::fs::metadata(&file).context("no picture was taken")?.len();
        ensure!(bytes <= MOST_PICTURE_BYTES, "{PICTURE} has {bytes} bytes");
        println!("{PICTURE}: {bytes} bytes");
    }
    Ok(2)
}

/// What the browser prints of a page.
fn open(browser: &str, folder: &Path, dark: bool, what: &[&str], page: &str) -> Result<String> {
    let profile = folder.join("profile");
    // A profile is no part of the result; one from before is as good as none.
    let _ = std::fs::remove_dir_all(&profile);
    let scheme = if dark { 0 } else { 1 };
    let output = Command::new(browser)
        .words("--headless --no-sandbox --disable-gpu --disable-quic --no-first-run")
        .words("--disable-background-networking --disable-component-update --disable-sync")
        .words("--hide-scrollbars --enable-logging=stderr --v=0 --virtual-time-budget=4000")
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(WINDOW)
        .args(what)
        .arg(page)
        .limit(Duration::from_secs(90))
        .quietly()
        .check()?;
    let _ = std::fs::remove_dir_all(&profile);
    Ok(output.text)
}

/// Whether the page, as dumped after its scripts ran, shows what it should.
fn check(dump: &str, cpus: u32, dark: bool) -> Result<()> {
    // The browser's own name for a line of the page's console.
    if let Some(line) = dump.lines().find(|line| line.contains(":CONSOLE")) {
        bail!("the console is not clean: {line}");
    }
    let body = tag(dump, "<body").context("the page has no body")?;
    let html = tag(dump, "<html").context("the page is none")?;
    let theme = if dark { "dark" } else { "light" };
    ensure!(attribute(html, "data-theme") == Some(theme), "the page is not {theme}: {html}");
    ensure!(attribute(body, "data-ready") == Some("yes"), "the scripts did not come to their end");
    let number = |name: &str| {
        let value = attribute(body, name).with_context(|| format!("{name} is missing: {body}"))?;
        value.parse::<u32>().with_context(|| format!("{name} is {value}"))
    };
    ensure!(number("data-rows")? == cpus, "not a row for each CPU: {body}");
    ensure!(number("data-wakes")? > 0, "no wake arrow is drawn: {body}");
    ensure!(number("data-steals")? > 0, "no steal arrow is drawn: {body}");
    Ok(())
}

/// The first tag that begins with `start`.
fn tag<'a>(dump: &'a str, start: &str) -> Option<&'a str> {
    let tag = &dump[dump.find(start)?..];
    tag.split_once('>').map(|(tag, _)| tag)
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = tag.split_once(&format!("{name}=\""))?;
    value.split_once('"').map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(attributes: &str) -> String {
        format!(
            "<!DOCTYPE html>\n<html data-theme=\"light\"><head></head><body {attributes}></body></html>"
        )
    }

    const GOOD: &str =
        r#"data-rows="4" data-wakes="7" data-kicks="0" data-steals="1" data-ready="yes""#;

    #[test]
    fn a_good_page_passes_and_each_fault_is_named() {
        assert!(check(&page(GOOD), 4, false).is_ok());
        let fault = |dump: &str, cpus, dark| check(dump, cpus, dark).unwrap_err().to_string();
        let without = |part: &str, other: &str| page(&GOOD.replace(part, other));
        assert!(fault(&page(GOOD), 5, false).starts_with("not a row"));
        assert!(fault(&page(GOOD), 4, true).starts_with("the page is not dark"));
        assert!(fault(&without("wakes=\"7\"", "wakes=\"0\""), 4, false).starts_with("no wake"));
        assert!(fault(&without("steals=\"1\"", "steals=\"0\""), 4, false).starts_with("no steal"));
        assert!(fault(&without("data-ready", "data-x"), 4, false).starts_with("the scripts"));
        assert!(fault(&without("data-rows", "data-x"), 4, false).starts_with("data-rows"));
        let noisy = format!("[1:1:0101/1.2:INFO:CONSOLE:3] \"Uncaught\"\n{}", page(GOOD));
        assert!(fault(&noisy, 4, false).starts_with("the console"));
        assert!(fault("", 4, false).starts_with("the page has no body"));
    }
}

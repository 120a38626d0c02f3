//! Every program in docs/interop.md runs, and prints what stands below it.

// The server of that page is the tour's. Its clients are not used here.
#[allow(dead_code)]
#[path = "../../examples/tour/phone_book.rs"]
mod phone_book;
#[allow(dead_code)]
#[path = "../../examples/tour/services.rs"]
mod services;

use farcall::Server;

use crate::service::{TOOLS, left_out, node_has, printed, run, start};

const PAGE: &str = include_str!("../../docs/interop.md");

/// A fenced block of the page, and the line it begins in.
#[derive(Clone)]
struct Block {
    language: &'static str,
    text: String,
    line: usize,
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::<Block>::new();
    let mut open = false;
    for (number, line) in PAGE.lines().enumerate() {
        match (line.strip_prefix("```"), open) {
            (Some(language), false) => {
                blocks.push(Block {
                    language,
                    text: String::new(),
                    line: number + 1,
                });
                open = true;
            }
            (Some(_), true) => open = false,
            (None, true) => {
                let block = blocks.last_mut().unwrap();
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, false) => {}
        }
    }
    blocks
}

/// Each program in a language, with the output that the page gives for it.
fn programs(language: &str) -> Vec<(Block, String)> {
    let blocks = blocks();
    let pairs = blocks.iter().zip(blocks.iter().skip(1));
    pairs
        .filter(|(program, _)| program.language == language)
        .map(|(program, output)| (program.clone(), output.text.clone()))
        .collect()
}

#[test]
fn every_program_of_the_page_has_its_output_below_it() {
    let blocks = blocks();
    for (number, block) in blocks.iter().enumerate() {
        let next = blocks.get(number + 1).map(|block| block.language);
        match block.language {
            "python" | "javascript" | "ruby" | "php" | "perl" | "bash" => {
                assert_eq!(next, Some("text"), "the block in line {}", block.line);
            }
            "text" | "rust,no_run" => {}
            other => panic!("line {}: nobody runs {other}", block.line),
        }
    }
}

async fn tour() -> u16 {
    let book = phone_book::Sqlite::open(None).unwrap();
    let server = Server::new()
        .service(services::ArithmeticServer::new(services::Pocket))
        .service(services::GreetingServer::new(services::Polite))
        .service(phone_book::PhoneBookServer::new(book))
        .service(services::OddsServer::new(services::Ends));
    start(server).await
}

/// Runs a program of the page.
async fn check(program: &str, flag: &str, block: &Block, expected: &str) {
    let text = block.text.replace("8000", &tour().await.to_string());
    let text = text.trim_start_matches("<?php\n");
    if let Some(output) = run(program, vec![flag.into(), text.into()]).await {
        let said = printed(&output);
        assert_eq!(
            said.trim_end(),
            expected.trim_end(),
            "the program in line {} of docs/interop.md; it said also: {}",
            block.line,
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// Runs every program of a language that has what it needs: `probe` prints `yes`.
async fn all(language: &str, program: &str, flag: &str, probe: &str) {
    let programs = programs(language);
    assert!(!programs.is_empty(), "the page has nothing in {language}");
    match run(program, vec![flag.into(), probe.into()]).await {
        Some(output) if output.stdout == b"yes" => {}
        Some(_) => return left_out(&format!("what the {language} of docs/interop.md needs")),
        None => return,
    }
    for (block, expected) in programs {
        check(program, flag, &block, &expected).await;
    }
}

#[tokio::test]
async fn the_python_of_the_page_runs() {
    for (block, expected) in programs("python") {
        let installed = ["jsonrpclib", "aiorpcx", "websockets"]
            .iter()
            .any(|package| block.text.contains(&format!("from {package}")));
        let python = match installed {
            true => &format!("{TOOLS}/python/bin/python"),
            false => "python3",
        };
        check(python, "-c", &block, &expected).await;
    }
}

#[tokio::test]
async fn the_javascript_of_the_page_runs() {
    for (block, expected) in programs("javascript") {
        let needs = ["xmlrpc", "jayson", "ws"];
        let mut needed = needs
            .iter()
            .filter(|package| block.text.contains(&format!("require(\"{package}")));
        if needed.all(|package| node_has(package)) {
            check("node", "-e", &block, &expected).await;
        }
    }
}

#[tokio::test]
async fn the_ruby_of_the_page_runs() {
    let probe = "require 'xmlrpc/client'; print 'yes'";
    all("ruby", "ruby", "-e", probe).await;
}

#[tokio::test]
async fn the_php_of_the_page_runs() {
    let probe = "echo function_exists('xmlrpc_decode') ? 'yes' : 'no';";
    all("php", "php", "-r", probe).await;
}

#[tokio::test]
async fn the_perl_of_the_page_runs() {
    all("perl", "perl", "-e", "use RPC::XML::Client; print 'yes'").await;
}

#[tokio::test]
async fn the_shell_of_the_page_runs() {
    let probe = "command -v curl >/dev/null && printf yes";
    all("bash", "bash", "-c", probe).await;
}

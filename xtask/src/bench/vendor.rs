//! The mock vendor of the benchmark, in a process of its own: canned completions, whole, as a paced stream, or as a stream without an end.

use std::io::Result;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Tokens of a paced stream, and the time between two.
pub(super) const TOKENS: usize = 10;
const BETWEEN: Duration = Duration::from_millis(5);
/// A request for this model, streamed, never ends.
pub(super) const ENDLESS: &str = "bench-hold";

/// What the vendor says in one of the two APIs that it has.
struct Dialect {
    whole: &'static str,
    /// Before the first token.
    first: &'static str,
    token: &'static str,
    last: &'static str,
}

const COMPLETIONS: Dialect = Dialect {
    whole: r#"{"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"bench","choices":[{"index":0,"message":{"role":"assistant","content":"Air scatters blue light more than red, so blue comes from everywhere. In the evening light takes a longer way, and only the red is left."},"finish_reason":"stop"}],"usage":{"prompt_tokens":41,"completion_tokens":33,"total_tokens":74}}"#,
    first: "",
    token: "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"bench\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"blue \"},\"finish_reason\":null}]}\n\n",
    last: "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"bench\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"bench\",\"choices\":[],\"usage\":{\"prompt_tokens\":41,\"completion_tokens\":10,\"total_tokens\":51}}\n\ndata: [DONE]\n\n",
};

const MESSAGES: Dialect = Dialect {
    whole: r#"{"id":"msg_bench","type":"message","role":"assistant","model":"bench","content":[{"type":"text","text":"Air scatters blue light more than red, so blue comes from everywhere. In the evening light takes a longer way, and only the red is left."}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":41,"output_tokens":33}}"#,
    first: "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_bench\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[],\"model\":\"bench\",\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":41,\"output_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
    token: "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"blue \"}}\n\n",
    last: "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":10}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
};

/// Listens on the address it is given until it is killed.
pub(crate) fn serve(arguments: &[String]) -> anyhow::Result<()> {
    let address = arguments.first().context("an address to listen on")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        loop {
            let (socket, _) = listener.accept().await?;
            socket.set_nodelay(true)?;
            // A connection that breaks is the other side's affair.
            tokio::spawn(async { drop(talk(socket).await) });
        }
    })
}

async fn talk(mut socket: TcpStream) -> Result<()> {
    let mut buffer = Vec::with_capacity(8 * 1024);
    while let Some((path, body)) = request(&mut socket, &mut buffer).await? {
        let dialect = if path.ends_with("/messages") { &MESSAGES } else { &COMPLETIONS };
        // Adapters write JSON with and without spaces.
        let body: String = String::from_utf8_lossy(&body).split_whitespace().collect();
        if !body.contains(r#""stream":true"#) {
            whole(&mut socket, dialect).await?;
        } else if body.contains(ENDLESS) {
            endless(&mut socket, dialect).await?;
        } else {
            paced(&mut socket, dialect).await?;
        }
    }
    Ok(())
}

/// Path and body of the next request; none when the connection is closed between two.
async fn request(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<Option<(String, Vec<u8>)>> {
    let head = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if socket.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let text = String::from_utf8_lossy(&buffer[..head]).to_lowercase();
    let path = text.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
    while buffer.len() < head + length {
        if socket.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    let body = buffer[head..head + length].to_vec();
    buffer.drain(..head + length);
    Ok(Some((path, body)))
}

async fn whole(socket: &mut TcpStream, dialect: &Dialect) -> Result<()> {
    let (length, whole) = (dialect.whole.len(), dialect.whole);
    let answer =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{whole}");
    socket.write_all(answer.as_bytes()).await
}

const STREAM_HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

fn chunk(data: &str) -> String {
    format!("{:x}\r\n{data}\r\n", data.len())
}

async fn paced(socket: &mut TcpStream, dialect: &Dialect) -> Result<()> {
    let first = format!("{}{}", dialect.first, dialect.token);
    socket.write_all(format!("{STREAM_HEAD}{}", chunk(&first)).as_bytes()).await?;
    for _ in 1..TOKENS {
        tokio::time::sleep(BETWEEN).await;
        socket.write_all(chunk(dialect.token).as_bytes()).await?;
    }
    socket.write_all(format!("{}0\r\n\r\n", chunk(dialect.last)).as_bytes()).await
}

/// A token a second until the other side leaves.
async fn endless(socket: &mut TcpStream, dialect: &Dialect) -> Result<()> {
    socket
        .write_all(format!("{STREAM_HEAD}{}", chunk(&format!("{}{}", dialect.first, dialect.token))).as_bytes())
        .await?;
    loop {
        socket.write_all(chunk(dialect.token).as_bytes()).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

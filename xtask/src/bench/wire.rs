//! The least HTTP/1.1 that a load generator needs: keep-alive, `content-length` and chunked bodies, no allocation per header.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A client's connection, used for one exchange after the other.
pub(super) struct Connection {
    socket: TcpStream,
    buffer: Vec<u8>,
}

/// The start of an answer: its status and how long its body is.
pub(super) struct Head {
    pub(super) status: u16,
    framing: Framing,
}

enum Framing {
    Length(usize),
    Chunked,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> Result<Self> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        Ok(Self { socket, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// One whole exchange; the body is handed on in pieces as they arrive.
    pub(super) async fn exchange(&mut self, request: &[u8], piece: impl FnMut(&[u8])) -> Result<u16> {
        let head = self.ask(request).await?;
        let status = head.status;
        self.body(head, piece).await?;
        Ok(status)
    }

    /// Sends the request and reads the head of the answer.
    pub(super) async fn ask(&mut self, request: &[u8]) -> Result<Head> {
        self.socket.write_all(request).await?;
        let end = self.find(b"\r\n\r\n").await?;
        let head = parse(&self.buffer[..end]).ok_or_else(|| broken("the answer is not HTTP/1.1"))?;
        self.buffer.drain(..end + 4);
        Ok(head)
    }

    /// Reads the body to its end.
    pub(super) async fn body(&mut self, head: Head, mut piece: impl FnMut(&[u8])) -> Result<()> {
        match head.framing {
            Framing::Length(length) => self.hand_on(length, &mut piece).await,
            Framing::Chunked => loop {
                let size = self.chunk_size().await?;
                self.hand_on(size, &mut piece).await?;
                self.find(b"\r\n").await?;
                self.buffer.drain(..2);
                if size == 0 {
                    return Ok(());
                }
            },
        }
    }

    /// Waits until something of a body has arrived.
    pub(super) async fn wait_for_body(&mut self) -> Result<()> {
        if self.buffer.is_empty() { self.fill().await } else { Ok(()) }
    }

    async fn chunk_size(&mut self) -> Result<usize> {
        let end = self.find(b"\r\n").await?;
        let size =
            std::str::from_utf8(&self.buffer[..end]).ok().and_then(|line| usize::from_str_radix(line.trim(), 16).ok());
        self.buffer.drain(..end + 2);
        size.ok_or_else(|| broken("a chunk without a size"))
    }

    async fn hand_on(&mut self, mut left: usize, piece: &mut impl FnMut(&[u8])) -> Result<()> {
        while left > 0 {
            self.wait_for_body().await?;
            let count = left.min(self.buffer.len());
            piece(&self.buffer[..count]);
            self.buffer.drain(..count);
            left -= count;
        }
        Ok(())
    }

    /// Where the pattern starts in the buffer, reading on until it is there.
    async fn find(&mut self, pattern: &[u8]) -> Result<usize> {
        loop {
            if let Some(at) = self.buffer.windows(pattern.len()).position(|window| window == pattern) {
                return Ok(at);
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Result<()> {
        if self.socket.read_buf(&mut self.buffer).await? == 0 { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

/// A request to complete a chat, as bytes. The key is left out when it is empty.
pub(super) fn chat(address: SocketAddr, key: &str, model: &str, stream: bool) -> Vec<u8> {
    let body = format!(
        r#"{{"model":"{model}","stream":{stream},"messages":[{{"role":"system","content":"You are a helpful assistant."}},{{"role":"user","content":"Tell me in one sentence why the sky is blue, and in another one why it is red in the evening."}}],"temperature":0.7,"max_tokens":256}}"#
    );
    let key = if key.is_empty() { String::new() } else { format!("authorization: Bearer {key}\r\n") };
    let length = body.len();
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\n{key}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn parse(head: &[u8]) -> Option<Head> {
    let head = std::str::from_utf8(head).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let mut framing = Framing::Length(0);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            framing = Framing::Length(value.trim().parse().ok()?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            framing = Framing::Chunked;
        }
    }
    Some(Head { status, framing })
}

fn broken(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

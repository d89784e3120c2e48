//! A bare connection, for requests that no HTTP library would send.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::wait::within;

/// A TCP connection to the gateway.
pub struct RawConnection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl RawConnection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> RawConnection {
        let stream = TcpStream::connect(address).await.expect("the gateway accepts");
        stream.set_nodelay(true).expect("an open socket");
        RawConnection { stream, received: Vec::new() }
    }

    /// Sends bytes; false when the other side has gone.
    pub async fn write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }

    /// Reads until the text is there or the connection ends, and returns everything received so far.
    pub async fn read_until(&mut self, text: &str) -> String {
        let what = format!("{text:?} from the gateway");
        within(&what, async { while !String::from_utf8_lossy(&self.received).contains(text) && self.fill().await {} })
            .await;
        String::from_utf8_lossy(&self.received).into_owned()
    }

    /// Reads until the gateway closes, for at most `limit`, and returns everything received; `None` when it does not close.
    pub async fn read_to_end(&mut self, limit: Duration) -> Option<String> {
        let all = async { while self.fill().await {} };
        tokio::time::timeout(limit, all).await.ok()?;
        Some(String::from_utf8_lossy(&self.received).into_owned())
    }

    /// Hangs up with a reset instead of a goodbye.
    pub fn reset(self) {
        // Without it the drop says goodbye, which serves a test as well.
        let _ = self.stream.set_zero_linger();
    }

    async fn fill(&mut self) -> bool {
        matches!(self.stream.read_buf(&mut self.received).await, Ok(length) if length > 0)
    }
}

//! One connection of the vendor: read a request, play its answer, and notice when the other side leaves meanwhile.

use std::{io, sync::Arc};

use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream, tcp::OwnedWriteHalf},
    task::JoinSet,
};

use super::{
    Shared,
    answer::{Answer, End, Framing, Step},
    request::RequestReader,
};

/// Accepts connections until it is dropped, and its connections with it.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    for number in 0.. {
        let Ok((stream, _)) = listener.accept().await else { return };
        connections.spawn(serve(stream, number, shared.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, connection: usize, shared: Arc<Shared>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let (read, mut write) = stream.into_split();
    let mut reader = RequestReader::new(read, connection);
    // A request that cannot be read ends the connection like one that never came: the gateway sees the hang-up.
    while let Ok(Some(request)) = reader.next().await {
        let (number, answer) = shared.arrived(request);
        let end = answer.end;
        let played = tokio::select! {
            biased;
            played = play(&mut write, answer) => played.is_ok(),
            () = reader.hung_up() => false,
        };
        if end == End::Hang && played {
            reader.hung_up().await;
        }
        shared.update(number, |request| {
            request.answered = played;
            request.disconnected = !played || end == End::Hang;
        });
        if end == End::Reset {
            if write.as_ref().set_zero_linger().is_ok() {
                // Dropping a write half says goodbye first; a reset must not.
                write.forget();
            }
            return;
        }
        if end != End::Proper || !played {
            return;
        }
    }
}

async fn play(write: &mut OwnedWriteHalf, answer: Answer) -> io::Result<()> {
    for step in &answer.before {
        send(write, step, Framing::Raw).await?;
    }
    if answer.framing != Framing::Raw {
        write.write_all(head(&answer).as_bytes()).await?;
    }
    for step in &answer.steps {
        send(write, step, answer.framing).await?;
    }
    if answer.end == End::Proper && answer.framing == Framing::Chunked {
        write.write_all(b"0\r\n\r\n").await?;
    }
    write.flush().await
}

async fn send(write: &mut OwnedWriteHalf, step: &Step, framing: Framing) -> io::Result<()> {
    match step {
        Step::Wait(gate) => gate.pass().await,
        Step::Bytes(bytes) if bytes.is_empty() => {}
        Step::Bytes(bytes) if framing == Framing::Chunked => {
            let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
            chunk.extend_from_slice(bytes);
            chunk.extend_from_slice(b"\r\n");
            write.write_all(&chunk).await?;
        }
        Step::Bytes(bytes) => write.write_all(bytes).await?,
    }
    Ok(())
}

fn head(answer: &Answer) -> String {
    let mut head = format!("HTTP/1.1 {} Scripted\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match answer.framing {
        Framing::Length => {
            let length: usize = answer
                .steps
                .iter()
                .map(|step| match step {
                    Step::Bytes(bytes) => bytes.len(),
                    Step::Wait(_) => 0,
                })
                .sum();
            head.push_str(&format!("content-length: {length}\r\n"));
        }
        Framing::Claimed(length) => head.push_str(&format!("content-length: {length}\r\n")),
        Framing::Chunked => head.push_str("transfer-encoding: chunked\r\n"),
        Framing::Raw => {}
    }
    head.push_str("\r\n");
    head
}

//! How many TCP segments with data a connection has received, as the kernel counted them.
//!
//! Law: two writes of a server often arrive in one read, so reads alone prove nothing; the kernel
//! knows. It is asked over netlink (`sock_diag(7)`), which needs no rights; where that does not
//! exist, the answer is "unknown".

use std::net::TcpStream;

/// The number of segments with data that came in; `None` if the kernel does not tell. Ask while the
/// stream is open.
#[cfg(target_os = "linux")]
pub(super) fn received(stream: &TcpStream) -> Option<u32> {
    linux::ask(stream).ok().flatten()
}

/// The number of segments with data that came in: not known here.
#[cfg(not(target_os = "linux"))]
pub(super) fn received(_: &TcpStream) -> Option<u32> {
    None
}

#[cfg(target_os = "linux")]
mod linux {
    use socket2::{Domain, Protocol, Socket, Type};
    use std::io::{self, Read, Write};
    use std::net::{IpAddr, SocketAddr, TcpStream};
    use std::time::Duration;

    // linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h, linux/tcp.h
    const AF_NETLINK: i32 = 16;
    const NETLINK_SOCK_DIAG: i32 = 4;
    const SOCK_DIAG_BY_FAMILY: u16 = 20;
    const NLM_F_REQUEST: u16 = 1;
    const IPPROTO_TCP: u8 = 6;
    const INET_DIAG_INFO: u16 = 2;
    /// Length of `nlmsghdr`.
    const HEADER: usize = 16;
    /// Length of `inet_diag_msg`.
    const MESSAGE: usize = 72;
    /// Where `tcpi_data_segs_in` is in `tcp_info`.
    const DATA_SEGMENTS_IN: usize = 152;

    pub(super) fn ask(stream: &TcpStream) -> io::Result<Option<u32>> {
        let request = request(stream.local_addr()?, stream.peer_addr()?);
        let kind = Type::DGRAM;
        let protocol = Some(Protocol::from(NETLINK_SOCK_DIAG));
        let mut socket = Socket::new(Domain::from(AF_NETLINK), kind, protocol)?;
        socket.set_read_timeout(Some(Duration::from_secs(1)))?;
        socket.write_all(&request)?;
        let mut reply = [0; 4096];
        let length = socket.read(&mut reply)?;
        Ok(data_segments(&reply[..length]))
    }

    /// A request for the `tcp_info` of exactly this connection.
    fn request(local: SocketAddr, peer: SocketAddr) -> Vec<u8> {
        let family = if local.is_ipv4() { 2 } else { 10 };
        let mut body = vec![family, IPPROTO_TCP, 1 << (INET_DIAG_INFO - 1), 0];
        body.extend(u32::MAX.to_ne_bytes()); // in any state
        body.extend(local.port().to_be_bytes());
        body.extend(peer.port().to_be_bytes());
        for address in [local.ip(), peer.ip()] {
            let mut bytes = [0; 16];
            match address {
                IpAddr::V4(address) => bytes[..4].copy_from_slice(&address.octets()),
                IpAddr::V6(address) => bytes.copy_from_slice(&address.octets()),
            }
            body.extend(bytes);
        }
        body.extend(0_u32.to_ne_bytes()); // on any interface
        body.extend([0xff; 8]); // without the kernel's own name for it
        let mut message = Vec::with_capacity(HEADER + body.len());
        message.extend(((HEADER + body.len()) as u32).to_ne_bytes());
        message.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        message.extend(NLM_F_REQUEST.to_ne_bytes());
        message.extend([0; 8]); // sequence number and port: there is only this one
        message.extend(body);
        message
    }

    /// Finds the number in the kernel's reply.
    fn data_segments(reply: &[u8]) -> Option<u32> {
        let short = |at: usize| Some(u16::from_ne_bytes(reply.get(at..at + 2)?.try_into().ok()?));
        if short(4)? != SOCK_DIAG_BY_FAMILY {
            return None;
        }
        let mut at = HEADER + MESSAGE;
        loop {
            let (length, kind) = (usize::from(short(at)?), short(at + 2)?);
            if kind == INET_DIAG_INFO {
                let number = reply.get(at..at + length)?.get(4 + DATA_SEGMENTS_IN..)?.get(..4)?;
                return Some(u32::from_ne_bytes(number.try_into().ok()?));
            }
            at += length.next_multiple_of(4).max(4);
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};

        #[test]
        fn two_writes_are_two_segments_although_one_read_takes_both() {
            for address in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
                let Ok(listener) = TcpListener::bind((address, 0)) else { continue };
                let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
                let (mut server, _) = listener.accept().unwrap();
                server.set_nodelay(true).unwrap();
                server.write_all(b"head").unwrap();
                server.write_all(b"body").unwrap();
                drop(server);
                assert_eq!(stream.read_to_end(&mut Vec::new()).unwrap(), 8);
                assert_eq!(ask(&stream).unwrap(), Some(2), "{address}");
            }
        }

        #[test]
        fn a_reply_that_is_no_answer_is_unknown() {
            assert_eq!(data_segments(&[]), None);
            assert_eq!(data_segments(&[0; 100]), None);
            let mut endless = vec![0; 200];
            endless[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
            assert_eq!(data_segments(&endless), None);
        }
    }
}

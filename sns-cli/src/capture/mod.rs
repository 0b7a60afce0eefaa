//! Packet captures: from a file to what each end of each connection sent, in order.
//!
//! ```text
//! file         pcap, pcapng            → packets, each with its time and its link layer
//! link, air    Ethernet, 802.11, …     → network packets
//! network      IPv4, IPv6, fragments   → TCP segments, DNS messages
//! stream       one direction           → bytes in order, and gaps
//! connections  all connections         → a Listener, which hears each of them
//! ```
//!
//! Law: a capture is never trusted and never refused for a part of it: what cannot be read is
//! counted, what is missing is a gap, and all around it is still heard. Memory is bounded, whatever
//! the length of the capture.

mod air;
pub mod connections;
pub mod file;
mod form;
pub mod link;
pub mod network;
pub mod stream;

pub use form::Form;
use std::collections::BTreeMap;
use std::io;

/// What was seen on the way from packets to segments, and what was left aside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets in the capture.
    pub packets: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// TCP segments.
    pub segments: u64,
    /// Packets by the number of their link layer, for those that cannot be read here.
    pub unknown_links: BTreeMap<u32, u64>,
    /// 802.11 frames that are encrypted.
    pub protected: u64,
    /// Frames that arrived damaged: their checksum says so.
    pub damaged: u64,
    /// Fragments of 802.11 frames that never became whole.
    pub frame_fragments: u64,
    /// Packets whose headers the capture cut off, or which make no sense.
    pub unreadable: u64,
    /// Messages of DNS.
    pub messages: u64,
    /// Packets that are neither: ARP, other UDP, …
    pub not_tcp: u64,
    /// IP fragments that never became whole.
    pub lost_fragments: u64,
    /// TCP segments for whose connection there was no room.
    pub unfollowed: u64,
    /// Packets of which the capture kept only the beginning.
    pub cut_packets: u64,
}

/// Reads captures packet by packet, and tells a listener what each connection's ends said.
pub struct Capture<L: connections::Listener> {
    links: link::Links,
    network: network::Network,
    connections: connections::Connections<L>,
    counts: Counts,
}

impl<L: connections::Listener> Capture<L> {
    /// Nothing seen yet.
    pub fn new(listener: L) -> Capture<L> {
        Capture {
            links: link::Links::default(),
            network: network::Network::default(),
            connections: connections::Connections::new(listener),
            counts: Counts::default(),
        }
    }

    /// The next packet.
    ///
    /// # Errors
    /// What the listener says.
    pub fn packet(&mut self, packet: &file::Packet<'_>) -> io::Result<()> {
        self.counts.packets += 1;
        self.counts.bytes += packet.data.len() as u64;
        let lost = packet.length.saturating_sub(packet.data.len() as u32);
        self.counts.cut_packets += u64::from(lost > 0);
        let Capture { links, network, connections, counts } = self;
        let mut done = Ok(());
        let frame = link::Frame { link: packet.link, bytes: packet.data, lost, time: packet.time };
        links.frame(&frame, counts, &mut |datagram, counts| {
            let mut hear = |heard: &network::Heard<'_>| {
                if done.is_ok() {
                    done = match heard {
                        network::Heard::Segment(segment) => {
                            connections.segment(segment, packet.time)
                        }
                        network::Heard::Message(message) => {
                            connections.listener().message(message, packet.time)
                        }
                    };
                }
            };
            network.datagram(datagram, lost, packet.time, counts, &mut hear);
        });
        done
    }

    /// The capture has ended: every connection ends with it.
    ///
    /// # Errors
    /// What the listener says.
    pub fn finish(mut self) -> io::Result<(L, Counts)> {
        self.links.finish(&mut self.counts);
        self.network.finish(&mut self.counts);
        self.counts.unfollowed = self.connections.unfollowed();
        Ok((self.connections.finish()?, self.counts))
    }

    /// Who listens.
    pub fn listener(&mut self) -> &mut L {
        self.connections.listener()
    }
}

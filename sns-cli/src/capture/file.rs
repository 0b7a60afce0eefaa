//! Capture files: pcap in both byte orders with micro- or nanoseconds, and pcapng with several
//! sections and interfaces.
//!
//! Law: every whole packet before a break is given, and then the break is told with its place. The
//! input is read as it comes, so that a capture that is still being made can be followed.

use pcap_parser::pcapng::Block;
use pcap_parser::traits::PcapReaderIterator;
use pcap_parser::{LegacyPcapReader, PcapBlockOwned, PcapError, PcapNGReader};
use std::cell::RefCell;
use std::io::{self, Cursor, ErrorKind, Read};
use std::rc::Rc;

/// What is read at a time.
const BUFFER: usize = 512 * 1024;
/// A packet or block longer than this is no packet.
const MAX_BLOCK: usize = 4 * 1024 * 1024;
/// More interfaces than this in a section are not kept.
const MAX_INTERFACES: usize = 4096;
/// The link layer of a packet whose interface was never described.
pub const NO_LINK: u32 = u32::MAX;

/// The packet block of pcapng that the enhanced one replaced.
const OLD_PACKET: u32 = 2;
/// All blocks of pcapng that hold a packet.
const PACKETS: [u32; 3] = [OLD_PACKET, 3, 6];
/// The block of pcapng that begins a section.
const SECTION: u32 = 0x0a0d_0d0a;

const NANOSECONDS: u128 = 1_000_000_000;

/// One packet.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// When it was seen, in nanoseconds since 1970; 0 if the capture does not say.
    pub time: u64,
    /// The number of its link layer: LINKTYPE_… of the registry of tcpdump.org.
    pub link: u32,
    /// What was kept of it.
    pub data: &'a [u8],
    /// How long it was.
    pub length: u32,
}

/// Why a capture cannot be read, or not further.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file ends inside a packet.
    #[error("the capture ends in the middle of a packet")]
    Cut {
        /// Where the packet begins that is not whole.
        at: u64,
    },
    /// What stands here is no packet.
    #[error("the capture is damaged: what stands here is no packet")]
    Broken {
        /// Where.
        at: u64,
    },
    /// The input could not be read.
    #[error("the capture cannot be read further: {why}")]
    Unreadable {
        /// Where.
        at: u64,
        /// What the system, or the decompressor, said.
        why: String,
    },
}

impl CaptureError {
    /// Where in the (unpacked) capture.
    pub fn offset(&self) -> u64 {
        let (CaptureError::Cut { at }
        | CaptureError::Broken { at }
        | CaptureError::Unreadable { at, .. }) = self;
        *at
    }
}

/// Whether a file that begins so is a capture.
pub fn is_capture(beginning: &[u8]) -> bool {
    is_pcap(beginning) || is_pcapng(beginning)
}

fn is_pcap(beginning: &[u8]) -> bool {
    matches!(
        beginning,
        [0xa1, 0xb2, 0xc3, 0xd4, ..]
            | [0xd4, 0xc3, 0xb2, 0xa1, ..]
            | [0xa1, 0xb2, 0x3c, 0x4d, ..]
            | [0x4d, 0x3c, 0xb2, 0xa1, ..]
            | [0xa1, 0xb2, 0xcd, 0x34, ..]
            | [0x34, 0xcd, 0xb2, 0xa1, ..]
    )
}

fn is_pcapng(beginning: &[u8]) -> bool {
    // Line ends, which might begin a request as well: the byte-order mark decides.
    let mark = beginning.get(8..12);
    beginning.starts_with(b"\x0a\x0d\x0d\x0a")
        && (mark == Some(b"\x1a\x2b\x3c\x4d") || mark == Some(b"\x4d\x3c\x2b\x1a"))
}

/// The packets of one capture.
pub struct Packets {
    reader: Box<dyn PcapReaderIterator>,
    is_ng: bool,
    /// pcap: whether it counts nanoseconds, and its link layer.
    is_nano: bool,
    link: u32,
    /// pcapng: the interfaces of the section.
    interfaces: Interfaces,
    error: Rc<RefCell<Option<String>>>,
    has_ended: bool,
    /// How much of the capture is in memory at a time.
    room: usize,
}

/// The interfaces of a section.
#[derive(Debug, Default)]
struct Interfaces {
    all: Vec<Interface>,
    is_big_endian: bool,
}

impl Interfaces {
    /// A packet that one of them saw.
    fn packet<'a>(&self, number: u32, ticks: u64, data: &'a [u8], length: u32) -> Packet<'a> {
        let interface = self.all.get(number as usize);
        Packet {
            time: interface.map_or(0, |interface| interface.nanoseconds(ticks)),
            link: interface.map_or(NO_LINK, |interface| interface.link),
            data,
            length,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Interface {
    link: u32,
    snap_length: u32,
    units_a_second: u64,
    offset_seconds: i64,
}

impl Packets {
    /// Reads the capture whose first bytes are `beginning`, and the rest `input`.
    ///
    /// # Errors
    /// [`CaptureError`] where not even its header can be read.
    pub fn new(beginning: Vec<u8>, input: Box<dyn Read>) -> Result<Packets, CaptureError> {
        let error = Rc::new(RefCell::new(None));
        let mut input =
            Patient { input: Cursor::new(beginning).chain(input), error: error.clone() };
        // The readers want to see the first header at once.
        let mut start = vec![0; 12];
        let mut has = fill(&mut input, &mut start, 0);
        let wanted = match start.get(4..8).and_then(|bytes| bytes.try_into().ok()) {
            Some(length) if is_pcapng(&start) => {
                let little = start[8] == 0x4d;
                let length =
                    if little { u32::from_le_bytes(length) } else { u32::from_be_bytes(length) };
                (length as usize).clamp(28, BUFFER / 2)
            }
            _ => 24,
        };
        start.resize(wanted, 0);
        has = fill(&mut input, &mut start, has);
        start.truncate(has);
        let is_ng = is_pcapng(&start);
        let input = Cursor::new(start).chain(input);
        let reader: Result<Box<dyn PcapReaderIterator>, _> = if is_ng {
            PcapNGReader::new(BUFFER, input).map(|reader| Box::new(reader) as _)
        } else {
            LegacyPcapReader::new(BUFFER, input).map(|reader| Box::new(reader) as _)
        };
        let reader = reader.map_err(|refused| match (error.borrow_mut().take(), refused) {
            (Some(why), _) => CaptureError::Unreadable { at: has as u64, why },
            (None, PcapError::Incomplete(_) | PcapError::Eof) => CaptureError::Cut { at: 0 },
            (None, _) => CaptureError::Broken { at: 0 },
        })?;
        let interfaces = Interfaces::default();
        Ok(Packets {
            reader,
            is_ng,
            is_nano: false,
            link: 0,
            interfaces,
            error,
            has_ended: false,
            room: BUFFER,
        })
    }

    /// Lets `act` have the next packet; `None` at the end.
    ///
    /// # Errors
    /// [`CaptureError`] where the capture breaks off. There is nothing behind it.
    pub fn next<T>(
        &mut self,
        act: impl FnOnce(&Packet<'_>) -> T,
    ) -> Result<Option<T>, CaptureError> {
        while !self.has_ended {
            let at = self.reader.consumed() as u64;
            let trouble = match self.reader.next() {
                Ok((length, block)) => {
                    let packet = match block {
                        PcapBlockOwned::LegacyHeader(header) => {
                            self.is_nano = header.is_nanosecond_precision();
                            // Above bit 16 stand flags, such as the length of a frame's checksum.
                            self.link = header.network.0 as u32 & 0xffff;
                            None
                        }
                        PcapBlockOwned::Legacy(packet) => {
                            let unit = if self.is_nano { 1 } else { 1000 };
                            let fraction = u64::from(packet.ts_usec) * unit;
                            let kept = packet.data.len().min(packet.caplen as usize);
                            Some(Packet {
                                time: u64::from(packet.ts_sec) * 1_000_000_000 + fraction,
                                link: self.link,
                                data: &packet.data[..kept],
                                length: packet.origlen,
                            })
                        }
                        PcapBlockOwned::NG(block) => next_generation(&mut self.interfaces, block),
                    };
                    if let Some(packet) = packet {
                        let done = act(&packet);
                        self.reader.consume(length);
                        return Ok(Some(done));
                    }
                    self.reader.consume(length);
                    continue;
                }
                Err(PcapError::Eof) => {
                    self.has_ended = true;
                    return Ok(None);
                }
                Err(PcapError::Incomplete(_)) => Trouble::NeedsMore,
                Err(PcapError::BufferTooSmall) => Trouble::NeedsRoom,
                Err(PcapError::UnexpectedEof) => Trouble::Cut,
                Err(_) => Trouble::Broken,
            };
            // A block that makes no sense ends nothing: its length says where the next one begins.
            let data = self.reader.data();
            if self.is_ng
                && let Some((kind, length)) = whole_block(data, self.interfaces.is_big_endian)
            {
                self.reader.consume(length);
                if PACKETS.contains(&kind) {
                    let nothing = Packet { time: 0, link: NO_LINK, data: &[], length: 0 };
                    return Ok(Some(act(&nothing)));
                }
                continue;
            }
            match trouble {
                Trouble::NeedsMore => {
                    // Its own words for a failed read are lost; they were noted on the way.
                    let _ = self.reader.refill();
                    if self.error.borrow().is_none() {
                        continue;
                    }
                }
                Trouble::NeedsRoom => {
                    self.room *= 2;
                    if self.room <= MAX_BLOCK && self.reader.grow(self.room) {
                        continue;
                    }
                }
                Trouble::Cut | Trouble::Broken => {}
            }
            self.has_ended = true;
            return Err(match (self.error.borrow_mut().take(), trouble) {
                (Some(why), _) => CaptureError::Unreadable { at, why },
                (None, Trouble::Cut) => CaptureError::Cut { at },
                (None, _) => CaptureError::Broken { at },
            });
        }
        Ok(None)
    }
}

/// The kind and length of the block of pcapng with which these bytes begin, if all of it is there. A
/// section's header says more than its length, and is not passed over.
fn whole_block(bytes: &[u8], is_big_endian: bool) -> Option<(u32, usize)> {
    let number = |at: usize| {
        let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(if is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    };
    let (kind, length) = (number(0)?, number(4)?);
    let is_whole = length >= 12 && length % 4 == 0 && number(length as usize - 4) == Some(length);
    (is_whole && kind != SECTION).then_some((kind, length as usize))
}

/// Why there is no next block yet.
#[derive(Clone, Copy)]
enum Trouble {
    NeedsMore,
    NeedsRoom,
    Cut,
    Broken,
}

/// A packet, if a block of pcapng holds one.
fn next_generation<'a>(interfaces: &mut Interfaces, block: Block<'a>) -> Option<Packet<'a>> {
    match block {
        Block::SectionHeader(section) => {
            interfaces.all.clear();
            interfaces.is_big_endian = section.big_endian();
        }
        Block::InterfaceDescription(interface) if interfaces.all.len() < MAX_INTERFACES => {
            // pcap-parser reads it in one byte order only.
            let offset = interface.ts_offset();
            let offset = if interfaces.is_big_endian { offset.swap_bytes() } else { offset };
            interfaces.all.push(Interface {
                link: interface.linktype.0 as u32 & 0xffff,
                snap_length: interface.snaplen,
                units_a_second: units_a_second(interface.if_tsresol),
                offset_seconds: offset,
            });
        }
        Block::EnhancedPacket(packet) => {
            let ticks = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
            let kept = packet.data.len().min(packet.caplen as usize);
            let data = &packet.data[..kept];
            return Some(interfaces.packet(packet.if_id, ticks, data, packet.origlen));
        }
        Block::SimplePacket(packet) => {
            let interface = interfaces.all.first();
            let limit = interface.map_or(0, |interface| interface.snap_length);
            let limit = if limit == 0 { u32::MAX } else { limit };
            let kept = packet.data.len().min(packet.origlen.min(limit) as usize);
            return Some(Packet {
                time: 0,
                link: interface.map_or(NO_LINK, |interface| interface.link),
                data: &packet.data[..kept],
                length: packet.origlen,
            });
        }
        // pcap-parser reads the kind of such a block in one byte order only.
        Block::Unknown(block) => {
            let kind = block.block_type;
            let kind = if interfaces.is_big_endian { kind.swap_bytes() } else { kind };
            if kind == OLD_PACKET {
                return old_packet(interfaces, block.data);
            }
        }
        _ => {}
    }
    None
}

/// A packet in the block that was used before there was the enhanced one, and which pcap-parser
/// does not know: interface and drops, time, both lengths, and its bytes.
fn old_packet<'a>(interfaces: &Interfaces, body: &'a [u8]) -> Option<Packet<'a>> {
    let number = |at: usize| {
        let bytes = body.get(at..at + 4)?.try_into().ok()?;
        Some(if interfaces.is_big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    };
    let first = number(0)?;
    let interface = if interfaces.is_big_endian { first >> 16 } else { first & 0xffff };
    let ticks = u64::from(number(4)?) << 32 | u64::from(number(8)?);
    let data = body.get(20..)?;
    let kept = data.len().min(number(12)? as usize);
    let length = number(16)?;
    Some(interfaces.packet(interface, ticks, &data[..kept], length))
}

/// What `if_tsresol` means. pcap-parser's own reading refuses every power of two.
fn units_a_second(resolution: u8) -> u64 {
    let exponent = u32::from(resolution & 0x7f);
    let units = if resolution & 0x80 == 0 {
        10_u64.checked_pow(exponent)
    } else {
        1_u64.checked_shl(exponent)
    };
    units.filter(|&units| units > 0).unwrap_or(1_000_000)
}

impl Interface {
    fn nanoseconds(&self, ticks: u64) -> u64 {
        let nanos = match self.units_a_second {
            1_000_000 => u128::from(ticks) * 1000,
            1_000_000_000 => u128::from(ticks),
            units => u128::from(ticks) * NANOSECONDS / u128::from(units),
        };
        let nanos = i128::try_from(nanos).unwrap_or(0);
        u64::try_from(nanos + i128::from(self.offset_seconds) * NANOSECONDS as i128).unwrap_or(0)
    }
}

/// Reads until `buffer` is full or the input ends; gives how much is there.
fn fill(input: &mut impl Read, buffer: &mut [u8], mut has: usize) -> usize {
    while has < buffer.len() {
        match input.read(&mut buffer[has..]) {
            Ok(0) | Err(_) => break,
            Ok(length) => has += length,
        }
    }
    has
}

/// Goes on after an interruption, and keeps the words of an error.
struct Patient<R> {
    input: R,
    error: Rc<RefCell<Option<String>>>,
}

impl<R: Read> Read for Patient<R> {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.input.read(piece) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    *self.error.borrow_mut() = Some(error.to_string());
                    return Err(error);
                }
                Ok(length) => return Ok(length),
            }
        }
    }
}

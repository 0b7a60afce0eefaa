//! A camera's requests, as short as the server takes them.

use crate::harness::{Server, put};

/// A photo by its bytes, different for each number.
pub(crate) fn photo(number: u32) -> Vec<u8> {
    [b"\xff\xd8\xff\xe1 photo ", number.to_string().as_bytes()].concat()
}

/// Announces a file; what the server answered.
pub(crate) fn announce(server: &Server, session: &str, name: &str, text: &str) -> String {
    let body = format!(
        "<Request SessionKey=\"{session}\"><Photo><File Name=\"{name}\"/>\
         <Content><![CDATA[{text}]]></Content></Photo></Request>"
    );
    let length = body.len();
    server.exchange(
        format!("POST /facebook/photo HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}")
            .as_bytes(),
    )
}

/// Announces and sends a photo that the server takes.
pub(crate) fn share(server: &Server, session: &str, number: u32, text: &str) {
    let name = format!("SAM_{number:04}.JPG");
    let announced = announce(server, session, &name, text);
    assert!(announced.contains("ResourceID"), "{announced}");
    let answer = server.exchange(&put(session, &name, &photo(number)));
    assert!(answer.contains("succ"), "{answer}");
}

pub(crate) fn logout(server: &Server, session: &str) {
    let body = format!("<Request Method=\"logout\" SessionKey=\"{session}\"/>");
    let length = body.len();
    let request = format!("POST /facebook/auth HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}");
    assert!(server.exchange(request.as_bytes()).starts_with("HTTP/1.1 200"));
}

/// An e-mail with these photos; what the server answered.
pub(crate) fn email(server: &Server, to: &[&str], text: &str, photos: &[u32]) -> String {
    let files: Vec<(String, Vec<u8>)> =
        photos.iter().map(|number| (format!("{number}.JPG"), photo(*number))).collect();
    email_with(server, to, text, &files)
}

/// An e-mail with these files, all of them called pictures; what the server answered.
pub(crate) fn email_with(
    server: &Server,
    to: &[&str],
    text: &str,
    files: &[(String, Vec<u8>)],
) -> String {
    let to: String = to.iter().map(|to| format!("<receiver>{to}</receiver>")).collect();
    let mut body = format!(
        "--B\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n\
         <email><sender>Me &lt;me@example.com&gt;</sender><receiverList>{to}</receiverList>\
         <title>Title</title><body><![CDATA[{text}]]></body></email>\r\n"
    )
    .into_bytes();
    for (name, bytes) in files {
        let head = format!(
            "--B\r\nContent-Disposition: form-data; name=\"binary\"; filename=\"{name}\"\r\n\
             Content-Type: image/jpeg\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--B--\r\n");
    let head = format!(
        "POST /social/columbus/email HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=B\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    server.exchange(&[head.into_bytes(), body].concat())
}

//! A conversation in which texts stand wherever a camera, a server, a network or an owner can put
//! one.
//!
//! Law: a place that is not planted holds what cameras and servers say there, so that each plant is
//! met with the rest understood.

use samsung_sns::crypto::CryptSessionKey;
use samsung_sns::crypto::credential::seal;

/// Puts secrets into places, and keeps account of them.
pub(crate) struct Planter {
    secrets: Vec<String>,
    mask: Vec<bool>,
    at: usize,
    /// What was planted.
    pub(crate) planted: Vec<String>,
}

impl Planter {
    /// Secrets are used one after the other, in the places that the mask says.
    pub(crate) fn new(secrets: Vec<String>, mask: Vec<bool>) -> Planter {
        Planter { secrets, mask, at: 0, planted: Vec::new() }
    }

    /// A secret, or what belongs here.
    fn at(&mut self, ordinary: &str) -> String {
        let at = self.at;
        self.at += 1;
        if !self.mask[at % self.mask.len()] {
            return ordinary.to_owned();
        }
        // Used again after a while, as names and keys are.
        let secret = self.secrets[at * 7 % self.secrets.len()].clone();
        self.planted.push(secret.clone());
        secret
    }

    /// The same where a number would be one: of bytes, of milliseconds.
    fn no_number(&mut self, ordinary: &str) -> String {
        let text = self.at(ordinary);
        let is_number = text != ordinary && text.bytes().all(|b| b.is_ascii_digit());
        if is_number { format!("{text}x") } else { text }
    }

    /// The same in a path, where a blank would end it.
    fn in_path(&mut self, ordinary: &str) -> String {
        self.at(ordinary).replace(' ', "%20")
    }

    /// The same as a name, which has no blanks and no punctuation.
    fn name(&mut self, ordinary: &str) -> String {
        let text = self.at(ordinary);
        if text == ordinary { text } else { text.replace([' ', '/', '+', '=', ':', '@', '.'], "-") }
    }

    /// Known headers, each with what may stand in it, and one that nobody knows.
    fn headers(&mut self, list: &[(&str, &str)]) -> String {
        let mut lines = String::new();
        for (name, value) in list {
            let name = if self.at % 5 == 4 { self.name(name) } else { (*name).to_owned() };
            lines += &format!("{name}: {}\r\n", self.no_number(value));
        }
        lines += &format!("{}: {}\r\n", self.name("X-OSP-Version"), self.at("v1"));
        lines
    }
}

const ASKING: &[(&str, &str)] = &[
    ("User-Agent", "sdeClient"),
    ("Accept", "image/gif, */*"),
    ("Accept-Language", "ko"),
    ("Accept-Encoding", "gzip;q=0.5"),
    ("Authorization", "OAuth"),
    ("Proxy-Authorization", "Basic"),
    ("Cookie", "samsung=hotspot"),
    ("Connection", "close"),
    ("Pragma", "no-cache"),
    ("Cache-Control", "max-age=0"),
    ("Referer", "http://msn.com/"),
    ("From", "x"),
    ("Via", "1.1"),
    ("X-Forwarded-For", "10.0.0.1"),
    ("Forwarded", "for=10.0.0.1"),
    ("X-Real-IP", "10.0.0.1"),
    ("Expect", "100-continue"),
    ("If-None-Match", "\"deadbeef\""),
    ("Range", "bytes=0-1"),
];

const ANSWERING: &[(&str, &str)] = &[
    ("Server", "nginx/1.18.0"),
    ("Date", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ("Expires", "0"),
    ("ETag", "\"deadbeef\""),
    ("Set-Cookie", "samsung=hotspot; Domain=.yahoo.co.kr; Path=/"),
    ("Location", "http://yahoo.com"),
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Encoding", "identity"),
    ("Content-Disposition", "attachment"),
    ("Content-Location", "/"),
    ("WWW-Authenticate", "Basic"),
    ("Retry-After", "5"),
    ("Keep-Alive", "timeout=5, max=100"),
    ("X-Powered-By", "PHP/5.6"),
    ("Connection", "close"),
    ("Link", "</>"),
    ("Vary", "Accept"),
];

/// Requests with their answers.
pub(crate) fn conversation(plant: &mut Planter) -> Vec<(Vec<u8>, Vec<u8>)> {
    let p = plant;
    let key = CryptSessionKey::from_bytes(std::array::from_fn(|i| 0x90 + i as u8));
    let mut sealed = |ordinary: &str| {
        let text = p.at(ordinary);
        seal(&key, &text).unwrap()
    };
    let (user, password) = (sealed("u"), sealed("p"));
    let login = format!(
        "<?xml version=\"1.0\" encoding=\"{}\"?>\n<Request Method=\"{}\" Timeout=\"{}\" \
         CameraCryptKey=\"{}\" {}=\"{}\">\n<UserName Value=\"{user}\"/>\n<Password Value=\"{password}\"/>\n\
         <PersistKey Use=\"{}\"/>\n{}\"/>\n<SessionKey Type=\"{}\"/>\n<CryptSessionKey Use=\"true\" \
         Type=\"SHA1\" Value=\"{}\"/>\n<ApplicationKey Value=\"{}\"/>\n<{}>{}</{}>\n\
         <UserName Value=\"{}\"/><Password Value=\"{}\"/></Request>\n",
        p.at("UTF-8"),
        p.at("login"),
        p.no_number("3000"),
        p.at("844e7f0f"),
        p.name("ID"),
        p.at("1"),
        p.at("true"),
        p.at("4p4uaaq422af3"),
        p.at("APIF"),
        key.to_base64(),
        p.at("6a563c39"),
        p.name("Name"),
        p.at("x"),
        p.name("Name"),
        p.at("second"),
        p.at("second"),
    );
    let plain = format!(
        "<Request Method=\"login\"><UserName Value=\"{}\"/><Password Value=\"{}\"/>\
         <OAuth Version=\"{}\" URL=\"{}\"/></Request>",
        p.at("u"),
        p.at("p"),
        p.no_number("1.0"),
        p.at("http://snsgw.samsungmobile.com/oauth"),
    );
    let logged_in = format!(
        "<Response SessionKey=\"{}\">\n<PersistKey Value=\"{}\"/>\n<CryptSessionKey Value=\"{}\"/>\n\
         <LoginPeopleID=\"{}\"/>\n<OAuth URL=\"{}\"/>\n</Response>",
        p.at("k"),
        p.at(""),
        p.at("k"),
        p.at("Samsung NX Lover"),
        p.at("http://snsgw.samsungmobile.com/oauth"),
    );
    let photo = format!(
        "<Request Method=\"upload\" SessionKey=\"{}\"><Photo><Album ID=\"{}\" Name=\"{}\"/><File \
         Name=\"{}\"/><Content><![CDATA[{}]]></Content><{}/></Photo></Request>",
        p.at("k"),
        p.at(""),
        p.at("NX300"),
        p.at("SAM_0001.JPG"),
        p.at("hello"),
        p.name("Note"),
    );
    let video = format!(
        "<Request SessionKey=\"{}\"><Video OwnerID=\"{}\"><Category Name=\"{}\"/><File \
         Name=\"{}.mp4\"/><Content>{}</Content></Video></Request>",
        p.at("k"),
        p.at("1"),
        p.at("People"),
        p.at("SAM_0002"),
        p.at("hello"),
    );
    let announced = format!(
        "<Response HostAddr=\"{}:80\" ResourceID=\"upload/{}/{}\" />",
        p.at("snsgw.samsungmobile.com"),
        p.at("k"),
        p.at("SAM_0001.JPG"),
    );
    let succeeded =
        format!("<Response Status=\"{}\" {}=\"{}\" />", p.at("succ"), p.name("x"), p.at("y"));
    let refused = format!(
        "<Response ErrCode=\"{}\" ErrSubCode=\"{}\" /><!-- {} -->",
        p.no_number("401"),
        p.no_number("0"),
        p.at("the password is wrong"),
    );
    let allshare = format!(
        "<userAuthRequest><loginID>{}</loginID><password>{}</password><duid>{}</duid>\
         <mobileCountryCode>{}</mobileCountryCode><tncAccepted>{}</tncAccepted></userAuthRequest>",
        p.at("u"),
        p.at("p"),
        p.at("1"),
        p.at("1"),
        p.at("Y"),
    );
    let time = format!(
        "<initializeResult><currentServerTime>{}</currentServerTime><{}>{}</Name></initializeResult>",
        p.no_number("1355312345678"),
        p.name("Name"),
        p.at("x"),
    );
    let boundary = p.name("---------------------------7d93b9550d4a");
    let email = email(p, &boundary);

    let auth = format!("/{}/auth", p.in_path("facebook"));
    let photo_target =
        format!("/{}/photo?{}={}", p.in_path("facebook"), p.in_path("DUID"), p.in_path("1"));
    let upload =
        format!("/upload/{}/{}#{}", p.in_path("k"), p.in_path("SAM_0001.JPG"), p.in_path("x"));
    let mail = format!("/social/columbus/email?DUID={}&{}", p.in_path("1"), p.in_path("x"));
    let absolute = format!(
        "http://{}@{}/{}/video",
        p.in_path("u"),
        p.in_path("msn.com"),
        p.in_path("youtube")
    );
    let providers = format!("/social/columbus/serviceproviders/list?DUID={}", p.in_path("1"));
    let unknown =
        format!("/{}/{}/{}?{}", p.in_path("a"), p.in_path("b"), p.in_path("c"), p.in_path("d"));
    let multipart = format!("multipart/form-data; boundary={boundary}");
    let upload_type = p.at("image/jpeg");
    let text = format!("{} {}", p.at("some"), p.at("page"));

    let mut all = vec![
        (request(p, "POST", &auth, "text/xml", login.as_bytes()), answer(p, &logged_in)),
        (request(p, "POST", &auth, "text/xml", plain.as_bytes()), answer(p, &refused)),
        (request(p, "POST", &photo_target, "text/xml", photo.as_bytes()), answer(p, &announced)),
        (request(p, "POST", &absolute, "text/xml", video.as_bytes()), answer(p, &text)),
        (request(p, "PUT", &upload, &upload_type, b"\xff\xd8photo\xff\xd9"), answer(p, &succeeded)),
        (request(p, "POST", &mail, &multipart, &email), answer(p, &refused)),
        (
            request(
                p,
                "POST",
                "/security/sso/userprofiles/authentication/emailid",
                "",
                allshare.as_bytes(),
            ),
            answer(p, &succeeded),
        ),
        (request(p, "GET", "/security/sso/initialize/time", "", b""), answer(p, &time)),
        (request(p, "GET", &providers, "", b""), chunked(p, &text)),
        (request(p, "GET", "/", "", b""), answer(p, "")),
        (request(p, "POST", &unknown, "text/plain", text.as_bytes()), chunked(p, &announced)),
    ];
    // What is broken is told in sentences.
    let line = format!("{} {} {}", p.at("GET"), p.at("/"), p.at("HTTP/1.1"));
    all.push((format!("{line}\r\n{}\r\n\r\n", p.at("no header")).into_bytes(), answer(p, "")));
    let method = format!("{} / HTTP/{}", p.name("GET"), p.name("1.1"));
    let long = p.no_number("5");
    all.push((
        format!("{method}\r\nContent-Length: {long}\r\n\r\nhello").into_bytes(),
        format!("HTTP/{} 200 {}\r\nContent-Length: {long}\r\n\r\n", p.at("1.1"), p.at("OK"))
            .into_bytes(),
    ));
    all
}

fn request(
    p: &mut Planter,
    method: &str,
    target: &str,
    content_type: &str,
    body: &[u8],
) -> Vec<u8> {
    let mut head =
        format!("{method} {target} HTTP/1.1\r\nHost: {}:80\r\n", p.at("snsgw.samsungmobile.com"));
    head += &p.headers(ASKING);
    if !content_type.is_empty() {
        head += &format!("Content-Type: {content_type}\r\n");
    }
    if !body.is_empty() {
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    [head.as_bytes(), b"\r\n", body].concat()
}

fn answer(p: &mut Planter, body: &str) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 {}\r\n{}", p.at("OK"), p.headers(ANSWERING));
    format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn chunked(p: &mut Planter, body: &str) -> Vec<u8> {
    let head = format!("HTTP/1.1 403 {}\r\n{}", p.at("Forbidden"), p.headers(ANSWERING));
    let coding =
        format!("Transfer-Encoding: {}, chunked\r\nTrailer: {}\r\n", p.at("gzip"), p.at("Vary"));
    let (name, value) = (p.name("name"), p.at("value"));
    let trailer = format!("{}: {}", p.name("Vary"), p.at("x"));
    let data = format!("{:x};{name}={value}\r\n{body}\r\n0\r\n{trailer}\r\n\r\n", body.len());
    format!("{head}{coding}\r\n{data}").into_bytes()
}

fn email(p: &mut Planter, boundary: &str) -> Vec<u8> {
    let message = format!(
        "<email><sender>{} <{}></sender><receiverList><receiver>{}</receiver><receiver>{}</receiver>\
         </receiverList><title><![CDATA[{}]]></title><body><![CDATA[{}]]></body><{}>{}</Name></email>",
        p.at("Camera"),
        p.at("a@b"),
        p.at("a@b"),
        p.at("c@d"),
        p.at("title"),
        p.at("body"),
        p.name("Name"),
        p.at("x"),
    );
    let file = |p: &mut Planter, content: &str| {
        format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"{}\"; fileName=\"{}\"\r\n\
             content-Type: {};\r\n{}: {}\r\n\r\n{content}\r\n",
            p.at("binary"),
            p.at("SAM_0001.JPG"),
            p.at("image/jpeg"),
            p.name("X"),
            p.at("y"),
        )
    };
    let (first, second) = (file(p, "photo"), file(p, "film"));
    format!(
        "{}\r\n--{boundary}\r\ncontent-disposition: form-data; name=\"message\"; fileName=\"sample.txt\"\r\n\
         content-Type: multipart/form-data;\r\n\r\n{message}\r\n{first}{second}--{boundary}\r\n{}",
        p.at("preamble"),
        p.at("epilogue"),
    )
    .into_bytes()
}

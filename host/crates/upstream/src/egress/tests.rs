//! The address rules as a table, and what they make of URLs and of names with several addresses.

use super::*;

const NEVER: [&str; 26] = [
    "169.254.169.254",
    "169.254.0.23",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "0.0.0.0",
    "224.0.0.1",
    "239.255.255.255",
    "255.255.255.255",
    "::",
    "ff02::1",
    "fe80::1",
    "febf::1",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "fd00:c1::a9fe:a9fe",
    "fd00:42::42",
    "::ffff:169.254.169.254",
    "::ffff:0.0.0.0",
    "::169.254.169.254",
    "64:ff9b::169.254.169.254",
    "64:ff9b::100.100.100.200",
    "2002:a9fe:a9fe::1",
    "::ffff:168.63.129.16",
];

const TYPED_ONLY: [&str; 34] = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "100.127.255.255",
    "0.1.2.3",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "192.88.99.1",
    "240.0.0.1",
    "::1",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
    "::ffff:127.0.0.1",
    "::ffff:10.1.2.3",
    "::10.1.2.3",
    "::8.8.8.8",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "2001::1",
    "2001:20::1",
    "2001:db8::1",
    "3fff::1",
    "100::1",
];

const PUBLIC: [&str; 14] = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "192.0.1.1",
    "198.20.0.1",
    "2606:4700:4700::1111",
    "2001:4860:4860::8888",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
];

#[test]
fn every_range_has_its_reach() {
    let tables: [(&[&str], bool, bool); 3] =
        [(&NEVER, false, false), (&TYPED_ONLY, false, true), (&PUBLIC, true, true)];
    for (addresses, public, typed) in tables {
        for text in addresses {
            let ip: IpAddr = text.parse().unwrap();
            assert_eq!(allowed(ip, Reach::Public), public, "{text} for public");
            assert_eq!(allowed(ip, Reach::Typed), typed, "{text} for typed");
        }
    }
}

fn check_of(url: &str, reach: Reach) -> bool {
    check_url(&Url::parse(url).unwrap(), reach).is_ok()
}

#[test]
fn an_address_in_a_url_is_checked_however_it_is_written() {
    for url in [
        "http://2852039166/latest",
        "http://0xa9fea9fe/",
        "http://0251.0376.0251.0376/",
        "http://169.254.43518/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://0/",
    ] {
        assert!(!check_of(url, Reach::Typed), "{url}");
    }
    for url in ["http://2130706433/", "http://0x7f.1/", "http://127.0.0.1./", "http://[::1]:8080/"] {
        assert!(!check_of(url, Reach::Public), "{url}");
        assert!(check_of(url, Reach::Typed), "{url}");
    }
    assert!(check_of("https://8.8.8.8/v1", Reach::Public));
    assert!(check_of("https://name.test/v1", Reach::Public), "names are the resolver's");
    for url in ["ftp://8.8.8.8/", "data:,x", "https://user@8.8.8.8/", "https://:secret@8.8.8.8/"] {
        assert!(!check_of(url, Reach::Typed), "{url}");
    }
}

#[test]
fn of_a_names_addresses_only_the_allowed_are_used() {
    let found = |list: &[&str]| list.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 0)).collect::<Vec<_>>();
    let kept = |list: &[&str], reach| keep_allowed(found(list).into_iter(), reach);
    let (mixed, public) = (["169.254.169.254", "10.0.0.1", "8.8.8.8"], Reach::Public);
    assert_eq!(kept(&mixed, public).unwrap(), found(&["8.8.8.8"]));
    assert_eq!(kept(&mixed, Reach::Typed).unwrap(), found(&["10.0.0.1", "8.8.8.8"]));
    let refused = kept(&["169.254.169.254"], Reach::Typed).unwrap_err();
    assert_eq!(refused.to_string(), "address 169.254.169.254 refused: it is a cloud metadata or link-local address");
    assert_eq!(kept(&[], public).unwrap(), []);
}

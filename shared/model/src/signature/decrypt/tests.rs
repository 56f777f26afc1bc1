use cbc::Encryptor;
use cbc::cipher::BlockModeEncrypt;
use proptest::prelude::*;

use super::*;

/// Key, what comes, what it says.
const VECTORS: [(&str, &str, &str); 3] = [
    ("test key", "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=", "hello world"),
    (
        "test-encrypt-key-01",
        "AAECAwQFBgcICQoLDA0OD+czPS6sA4uLd9cJi/TJT0nOeytyB0I+jxa5hyiehOOyPzepoRT6fGm8E7Di6AEj9oHW+jM48EG2WW6RccDuvukCzn6PVRQD2QRJNTASJE1xI8kLfVbiDGGELjoe25tbGQ==",
        r#"{"challenge":"c0ffee00-1234","token":"test-verification-token-01","type":"url_verification"}"#,
    ),
    (
        "test-encrypt-key-01",
        "EBESExQVFhcYGRobHB0eH4fsVAVbyCTPia2SlgulJ/QbK1lXY8R1Fu6HLWe57wEjSPH/GQwmRGYlY0rtY8DHsEHssX61Bv0JUXyZTxOO5lKW0pq8H/DUA+toOvM4JcAMq3xUoaGJQVnPlGjpSeVVx9EOQcVgX13bQnC/3f8UzXQpLVPTYwNVsXL+9gqtZVlS30i1rm6fPtj2ZRfMv8GLdqPNybpJJYD/9W6j00uaqn0cIMVgjMZ3LE4aTRyfb1U41RolU8Xa+vk2t2xD1aZeFy8WQpcVzI/eloubKy081GaoH2GyTcr13MVK/y0u36LzgU9ff3Ol+V2If9Hjr7RsQM9QzyM/Plsp+urMpOhr6Uv6s2VjWFo6N/TOXU5802kKN93zYn6wzare9TN34ryVwEKnaBxtrqIj2L2CP+mJ1zb5+ZFCaCK+caXH7Jqc0Tm+wHv/heGPiCMoAoPc6vacbnTfSJ48V5hL3wQnAXbUnp9Zr2r0ItfSR5gh52r+WwMuR4MqWK6VyQW5Z4eMtVPxPfiygjxvFlKMiCSBJOyWLJYE/98Gmf+VySS3Da66YKRkuJIMPscVUV1ksGc4Q5levIHJ5PBj5UE2Pwc4bI1QPe7dWKrTbh9EL6+nafdq9nxyHfFAp/fi0mZbQOKVat1mhaddS9NzvZgDbtsOgwv07aJTKur9lx5I1C+7g0vEIl2b9r79TDYJje/P79xkCsSU5izUnFValUXgKDCqbYB4uQpYFDf7+R4fVN+HgBL9Htm/p7Ar9SsFO+QLWSlliaPn7SibvGQetoJq9GFyx+cGKxC0InExO5vEGsnqZfKdw1qI",
        r#"{"schema":"2.0","header":{"event_id":"ev_test_0001","event_type":"im.message.receive_v1","create_time":"1700000000123","token":"test-verification-token-01","app_id":"cli_test0001","tenant_key":"tk_test0001"},"event":{"sender":{"sender_id":{"open_id":"ou_test0001"},"sender_type":"user","tenant_key":"tk_test0001"},"message":{"message_id":"om_test0001","create_time":"1700000000100","chat_id":"oc_test0001","chat_type":"group","message_type":"text","content":"{\"text\":\"@_user_1 你好\"}","mentions":[{"key":"@_user_1","id":{"open_id":"ou_test0002"},"name":"Bot","tenant_key":"tk_test0001"}]}}}"#,
    ),
];

fn encrypt(encrypt_key: &str, iv: [u8; BLOCK_BYTES], content: &[u8]) -> String {
    let mut blocks = content.to_vec();
    blocks.resize(content.len() + BLOCK_BYTES, 0);
    let cipher = Encryptor::<Aes256>::new(&Sha256::digest(encrypt_key), &iv.into());
    let encrypted = cipher.encrypt_padded::<Pkcs7>(&mut blocks, content.len()).unwrap();
    STANDARD.encode([&iv, encrypted].concat())
}

#[test]
fn what_feishu_encrypts_is_read() {
    for (key, encrypted, content) in VECTORS {
        assert_eq!(decrypt(key, encrypted).as_deref(), Ok(content.as_bytes()), "{content}");
    }
}

#[test]
fn the_vectors_are_encrypted_as_these_tests_encrypt() {
    let iv = |first: u8| std::array::from_fn(|index| first + u8::try_from(index).unwrap());
    for ((key, encrypted, content), first) in VECTORS[1..].iter().zip([0, 0x10]) {
        assert_eq!(encrypt(key, iv(first), content.as_bytes()), *encrypted);
    }
}

#[test]
fn what_is_not_encrypted_with_the_key_is_refused() {
    let table = [
        (
            "length-not-multiple-of-16",
            "test-encrypt-key-01",
            "AAECAwQFBgcICQoLDA0OD+czPS6sA4uLd9cJi/TJT0nOeytyB0I+jxa5hyiehOOyPzepoRT6fGm8E7Di6AEj9oHW+jM48EG2WW6RccDuvukCzn6PVRQD2QRJNTASJE1xI8kLfVbiDGGELjoe25tb",
        ),
        ("shorter-than-iv", "test-encrypt-key-01", "c2hvcnQ="),
        ("iv-only", "test-encrypt-key-01", "AAECAwQFBgcICQoLDA0ODw=="),
        ("not-base64", "test-encrypt-key-01", "%%%not-base64%%%"),
        (
            "wrong-key",
            "wrong-key",
            "AAECAwQFBgcICQoLDA0OD+czPS6sA4uLd9cJi/TJT0nOeytyB0I+jxa5hyiehOOyPzepoRT6fGm8E7Di6AEj9oHW+jM48EG2WW6RccDuvukCzn6PVRQD2QRJNTASJE1xI8kLfVbiDGGELjoe25tbGQ==",
        ),
    ];
    for (case, key, encrypted) in table {
        assert_eq!(decrypt(key, encrypted), Err(DecryptError), "{case}");
    }
}

proptest! {
    #[test]
    fn whatever_is_encrypted_comes_back(key in ".{0,40}", iv in any::<[u8; 16]>(), content in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(decrypt(&key, &encrypt(&key, iv, &content)), Ok(content));
    }

    #[test]
    fn no_text_and_no_bytes_make_it_panic(key in ".{0,8}", text in ".{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _refused = decrypt(&key, &text);
        let _refused_mostly = decrypt(&key, &STANDARD.encode(bytes));
    }
}

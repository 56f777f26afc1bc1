//! Images: uploaded by an app as a form, within limits, and shown by the cards of that app only.

use feishu_sim::{AppSettings, Verdict};
use serde_json::{Value, json};

use crate::app_support::{APP, Tenant, api_code, message, settings, tenant, tenant_of};
use crate::support::{Answer, exchange};

fn png(width: u32, height: u32) -> Vec<u8> {
    let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
    [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], &sides, b"\x08\x06\0\0\0"].concat()
}

async fn upload_form(tenant: &Tenant, token: &str, form: &[u8]) -> Answer {
    let head = format!(
        "POST /open-apis/im/v1/images HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=xx\r\n\
         Authorization: Bearer {token}\r\n"
    );
    exchange(tenant.sim.address(), &head, form).await.unwrap()
}

async fn upload(tenant: &Tenant, image: &[u8]) -> Answer {
    let head = "--xx\r\nContent-Disposition: form-data; name=\"image_type\"\r\n\r\nmessage\r\n--xx\r\n\
                Content-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n";
    let form = [head.as_bytes(), image, b"\r\n--xx--\r\n"].concat();
    upload_form(tenant, &tenant.token, &form).await
}

fn card(key: &Value) -> Value {
    json!({"elements": [{"tag": "img", "img_key": key, "alt": {"tag": "plain_text", "content": ""}}]})
}

#[tokio::test]
async fn a_card_shows_an_image_that_its_app_has_uploaded_and_no_other() {
    let other = AppSettings::new("cli_other", "other-secret");
    let tenant = tenant_of(settings().app(other)).await;
    let answer = upload(&tenant, &png(1_000, 500)).await;
    assert_eq!(api_code(&answer), 0, "{answer:?}");
    let key = answer.json()["data"]["image_key"].clone();
    assert!(key.as_str().unwrap().starts_with("img_"));
    assert_eq!(api_code(&tenant.send(&message(&card(&key))).await), 0);
    let refused = tenant.send(&message(&card(&json!("img_v3_made_up")))).await;
    assert_eq!(api_code(&refused), 230_099);
    assert!(refused.body.contains("ErrCode: 200570"), "{refused:?}");

    let others = Tenant { token: tenant.new_token("cli_other", "other-secret").await, ..tenant };
    let answer = upload(&others, &png(1, 1)).await;
    let of_other = answer.json()["data"]["image_key"].clone();
    let own = Tenant { token: others.new_token(APP, crate::app_support::SECRET).await, ..others };
    assert_eq!(api_code(&own.send(&message(&card(&of_other))).await), 230_099);
}

#[tokio::test]
async fn an_image_is_refused_that_is_none_or_too_large() {
    let tenant = tenant().await;
    let mut gif = b"GIF89a".to_vec();
    gif.extend([2_001_u16.to_le_bytes(), 1_u16.to_le_bytes()].concat());
    let mut large = png(1, 1);
    large.resize(10_000_001, 0);
    for (image, code) in [
        (png(12_001, 1), 234_039),
        (gif, 234_039),
        (Vec::new(), 234_010),
        (b"<html></html>".to_vec(), 234_011),
        (b"\x89PNG\r\n\x1a\n".to_vec(), 234_011),
        (large, 234_006),
    ] {
        assert_eq!(api_code(&upload(&tenant, &image).await), code);
    }
    let records = tenant.sim.records(APP);
    assert!(records.iter().skip(1).all(|record| matches!(record.verdict, Verdict::Refused(_))));
}

#[tokio::test]
async fn what_is_no_form_of_an_image_is_refused() {
    let tenant = tenant().await;
    let as_json = tenant.call("POST", "im/v1/images", &json!({"image_type": "message"})).await;
    assert_eq!(api_code(&as_json), 9499);
    for (form, code) in [
        (&b"--yy--\r\n"[..], 9499),
        (b"--xx--\r\n", 234_001),
        (
            b"--xx\r\nContent-Disposition: form-data; name=\"image_type\"\r\n\r\nmessage\r\n--xx--\r\n",
            234_001,
        ),
    ] {
        assert_eq!(api_code(&upload_form(&tenant, &tenant.token, form).await), code);
    }
    assert_eq!(api_code(&upload_form(&tenant, "t-nobody", b"--xx--\r\n").await), 99_991_663);
}

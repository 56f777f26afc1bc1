//! Why somebody does not get in: each with what to do about it.

use hyper::StatusCode;

use super::feishu::FeishuLoginError;
use super::pages::Refusal;
use crate::backend::BackendError;

pub(crate) fn wrong_host() -> Refusal {
    Refusal::new(
        StatusCode::MISDIRECTED_REQUEST,
        "wrong_host",
        ["Not known under this name", "不接受这个域名"],
        [
            "The console answers only under its own name. Open it at the address in console.url, or have console.url set to \
             the address that you use.",
            "控制台只接受自己的域名。请用 console.url 中的地址打开，或者把 console.url 改为您使用的地址。",
        ],
    )
    .for_good()
}

pub(crate) fn not_logged_in() -> Refusal {
    Refusal::new(
        StatusCode::UNAUTHORIZED,
        "not_logged_in",
        ["You are not logged in", "尚未登录"],
        [
            "Your session is over, and nothing was done. Log in, and do it again.",
            "会话已结束，操作没有执行。请登录后重试。",
        ],
    )
}

pub(crate) fn not_through_the_proxy() -> Refusal {
    Refusal::new(
        StatusCode::UNAUTHORIZED,
        "not_through_proxy",
        ["Come through the proxy", "请通过代理访问"],
        [
            "Who you are is said by a proxy in front of this page, and it did not. Open the address of the proxy; whoever runs \
             it checks console.trusted_header.",
            "您的身份由本页面前面的代理告知，但这次请求没有带上。请打开代理的地址；维护者请检查 console.trusted_header。",
        ],
    )
    .for_good()
}

pub(crate) fn foreign_form() -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        "foreign_form",
        ["The form is out of date", "表单已失效"],
        [
            "It was opened too long ago or in another window, or your browser keeps no cookies. Nothing was done. Open the \
             page again.",
            "表单打开得太久或来自另一个窗口，或者浏览器不保存 Cookie。操作没有执行，请重新打开页面。",
        ],
    )
}

pub(crate) fn slowed(wait_s: i64) -> Refusal {
    let refusal = Refusal::new(
        StatusCode::TOO_MANY_REQUESTS,
        "slowed",
        ["Too many attempts", "尝试次数过多"],
        ["Somebody has tried too often. Try again in", "登录尝试过于频繁，请稍后重试。需等待（秒）："],
    );
    let [en, zh] = refusal.advice;
    let advice = [format!("{en} {wait_s} s."), format!("{zh}{wait_s}")];
    Refusal { advice, wait_s: Some(wait_s), ..refusal }
}

pub(crate) fn no_database(error: &BackendError) -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        ["Nobody can be let in at the moment", "暂时无法登录"],
        [
            "Sessions are in the database, and it does not answer. Alerts go on without it. Try again in a moment.",
            "会话保存在数据库中，而数据库没有响应。告警投递不受影响。请稍后重试。",
        ],
    )
    .because(&error.to_string())
}

pub(crate) fn no_such_way() -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "no_such_way",
        ["There is no such way to log in", "没有这种登录方式"],
        ["It is not configured here.", "此处没有配置这种登录方式。"],
    )
}

pub(crate) fn of_another_browser() -> Refusal {
    Refusal::new(
        StatusCode::BAD_REQUEST,
        "unknown_state",
        ["This log-in was not begun here", "登录不是从这里开始的"],
        [
            "It was begun in another browser or more than ten minutes ago, or your browser keeps no cookies. Begin again here.",
            "登录是在另一个浏览器中开始的，或者超过了十分钟，或者浏览器不保存 Cookie。请在这里重新开始。",
        ],
    )
}

pub(crate) fn used_before() -> Refusal {
    Refusal::new(
        StatusCode::BAD_REQUEST,
        "used_before",
        ["This log-in was used already", "这次登录已经用过"],
        ["Every log-in counts once. Begin a new one.", "每次登录只能使用一次，请重新开始。"],
    )
}

pub(crate) fn denied() -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        "access_denied",
        ["You refused in Feishu", "您在飞书中拒绝了授权"],
        [
            "Nothing was passed on. Begin again, and agree in Feishu.",
            "没有传递任何信息。请重新开始，并在飞书中同意授权。",
        ],
    )
}

pub(crate) fn another_company(tenant_key: &str) -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        "another_company",
        ["Your company has no access", "您所在的企业没有访问权限"],
        [
            "Log in with an account of the company that runs this. If it is this one, its key has to stand in \
             console.feishu.tenant_key:",
            "请使用本系统所属企业的账号登录。如果就是该企业，请把它的 key 写入 console.feishu.tenant_key：",
        ],
    )
    .because(tenant_key)
}

pub(crate) fn not_on_the_list(open_id: &str) -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        "not_allowed",
        ["You have no access", "您没有访问权限"],
        [
            "Ask whoever runs this to put you on a list of console.feishu, or into one of its chats. Your open_id is",
            "请联系维护者把您加入 console.feishu 的名单或其中的群。您的 open_id 是",
        ],
    )
    .because(open_id)
}

pub(crate) fn of_feishu(error: &FeishuLoginError) -> Refusal {
    let told = |status, code, title, advice: [&str; 2]| {
        Refusal::new(status, code, title, advice).because(&format!("({error})"))
    };
    match error {
        FeishuLoginError::Again(_) => told(
            StatusCode::BAD_REQUEST,
            "begin_again",
            ["Begin the log-in again", "请重新登录"],
            [
                "Feishu takes each log-in once, for five minutes.",
                "飞书的每次登录五分钟内有效，且只能使用一次。",
            ],
        ),
        FeishuLoginError::NotOpen(_) => told(
            StatusCode::FORBIDDEN,
            "app_not_open",
            ["The app is not open to you", "应用对您不可用"],
            [
                "Ask your administrator to put you into the app's availability.",
                "请联系管理员把您加入应用的可用范围。",
            ],
        ),
        FeishuLoginError::NoAccount(_) => told(
            StatusCode::FORBIDDEN,
            "no_account",
            ["Your account is not in use", "您的账号不可用"],
            [
                "Feishu says that it is frozen, gone, or was never there.",
                "飞书显示该账号已冻结、已离职或不存在。",
            ],
        ),
        FeishuLoginError::Configuration(_) => told(
            StatusCode::BAD_GATEWAY,
            "feishu_configuration",
            ["Log-in with Feishu is not set up", "飞书登录没有配置好"],
            [
                "Whoever runs this checks app.id and app.secret, and that the address of this page is among the app's \
                 redirect URLs.",
                "维护者请检查 app.id 和 app.secret，以及本页面的地址是否在应用的重定向 URL 中。",
            ],
        ),
        FeishuLoginError::Unavailable(_) => told(
            StatusCode::SERVICE_UNAVAILABLE,
            "feishu_unavailable",
            ["Feishu does not answer", "飞书没有响应"],
            ["Try again in a moment.", "请稍后重试。"],
        ),
    }
}

//! Why Alertmanager did not do something, in both languages. Pure.

use crate::alertmanager::AlertmanagerError;
use crate::render::plain_line;

/// How much of what Alertmanager says is shown, in characters.
const REASON_CHARACTERS_MAX: usize = 200;

pub(super) fn zh(trouble: &AlertmanagerError) -> String {
    match trouble {
        AlertmanagerError::Unreachable => "没有响应".to_owned(),
        AlertmanagerError::TimedOut => "没有及时响应，操作可能已经生效".to_owned(),
        AlertmanagerError::OutOfTime => "响应太慢，其余的没有再请求".to_owned(),
        AlertmanagerError::Unauthorized(status) => format!("不接受我们的凭据（HTTP {status}）"),
        AlertmanagerError::Refused { status, reason } => {
            format!("拒绝了请求（HTTP {status}）：{}", neutral(reason))
        }
        AlertmanagerError::Unreadable => "的回答无法识别".to_owned(),
    }
}

pub(super) fn en(trouble: &AlertmanagerError) -> String {
    neutral(&trouble.to_string())
}

fn neutral(said: &str) -> String {
    plain_line(said, REASON_CHARACTERS_MAX).trim_end_matches('.').to_owned()
}

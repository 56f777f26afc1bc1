//! The alert about own trouble. Pure.

use config::Locale;
use jiff::Timestamp;

use super::table::{TroubleKind, TroubleRow};
use crate::feishu::advice::advice;
use crate::own_alerts::{OwnAlert, OwnSubject};

/// What people and routes know it by.
const NAME: &str = "LarkfireTrouble";
/// The label that says what it is about.
const LABEL: &str = "trouble";
/// Alerts are not where they are to be.
const SEVERITY: &str = "critical";

/// Who is told, and how.
#[derive(Clone, Debug)]
pub(crate) struct TroubleWords {
    /// In which language.
    pub(crate) locale: Locale,
    /// `trouble.receiver`.
    pub(crate) receiver: String,
}

impl TroubleWords {
    /// It has begun.
    pub(super) fn begun(&self, row: &TroubleRow) -> OwnAlert {
        let TroubleRow { subject, kind, code, detail, .. } = row;
        let code_said = code.map(|code| format!("{code} ")).unwrap_or_default();
        let summary = match (self.locale, kind) {
            (Locale::ZhCn, TroubleKind::Refuses) => format!("接收方 {subject} 拒绝所有消息"),
            (Locale::En, TroubleKind::Refuses) => format!("The receiver {subject} refuses everything"),
            (Locale::ZhCn, TroubleKind::Away) => format!("接收方 {subject} 无法送达"),
            (Locale::En, TroubleKind::Away) => format!("The receiver {subject} cannot be reached"),
            (Locale::ZhCn, TroubleKind::DeadLetters) => "有死信等待处理".to_owned(),
            (Locale::En, TroubleKind::DeadLetters) => "Dead letters wait for an operator".to_owned(),
        };
        let description = match (self.locale, kind) {
            (Locale::ZhCn, TroubleKind::Refuses) => {
                format!("{}。\n飞书返回：{code_said}{detail}\n它的告警在等待。", advice(*code).zh)
            }
            (Locale::En, TroubleKind::Refuses) => {
                format!("To do: {}.\nFeishu says: {code_said}{detail}\nIts alerts wait.", advice(*code).en)
            }
            (Locale::ZhCn, TroubleKind::Away) => {
                format!("最近一次：{code_said}{detail}\n它的告警在等待，恢复后发送。")
            }
            (Locale::En, TroubleKind::Away) => {
                format!("Last: {code_said}{detail}\nIts alerts wait, and go out when it is back.")
            }
            (Locale::ZhCn, TroubleKind::DeadLetters) => {
                format!("{detail}\n用 larkfire dead-letters list 查看。")
            }
            (Locale::En, TroubleKind::DeadLetters) => {
                format!("{detail}\nlarkfire dead-letters list shows them.")
            }
        };
        self.alert(row, summary, description, None)
    }

    /// It is over.
    pub(super) fn over(&self, row: &TroubleRow, now: Timestamp) -> OwnAlert {
        let subject = &row.subject;
        let summary = match (self.locale, row.kind) {
            (Locale::ZhCn, TroubleKind::Refuses | TroubleKind::Away) => {
                format!("接收方 {subject} 已恢复接收")
            }
            (Locale::En, TroubleKind::Refuses | TroubleKind::Away) => {
                format!("The receiver {subject} takes messages again")
            }
            (Locale::ZhCn, TroubleKind::DeadLetters) => "没有死信在等待了".to_owned(),
            (Locale::En, TroubleKind::DeadLetters) => "No dead letters wait any more".to_owned(),
        };
        self.alert(row, summary, String::new(), Some(now))
    }

    fn alert(
        &self,
        row: &TroubleRow,
        summary: String,
        description: String,
        ends_at: Option<Timestamp>,
    ) -> OwnAlert {
        let value = match row.kind {
            TroubleKind::Refuses | TroubleKind::Away => format!("receiver {}", row.subject),
            TroubleKind::DeadLetters => "dead letters".to_owned(),
        };
        OwnAlert {
            name: NAME,
            subject: OwnSubject { label: LABEL, value },
            severity: SEVERITY,
            summary,
            description,
            receiver: self.receiver.clone(),
            starts_at: row.since,
            ends_at,
        }
    }
}

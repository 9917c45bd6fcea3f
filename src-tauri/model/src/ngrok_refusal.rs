//! What ngrok's error numbers mean to somebody who opens a TCP endpoint (ngrok's error reference).

use crate::next_step::NextStep;

/// A sentence with the next step, without the number; `None` for numbers that are not common here.
pub fn sentence(code: u32) -> Option<&'static str> {
    Some(match code {
        8013 => "ngrok wants a payment card before it opens TCP endpoints; add one in ngrok's dashboard",
        105 | 107 | 4018 => "ngrok refused the authtoken; copy it anew from ngrok's dashboard",
        108 => {
            "another ngrok agent holds this account's only place; stop the other notebook's agent, or one that was left behind"
        }
        120 | 121 => "this ngrok agent is too old; install the current one in the cell",
        123 => "ngrok wants the account's e-mail address confirmed; open the mail that it sent",
        206 => "an authtoken was used as an API key; make an API key in ngrok's dashboard",
        226 | 702 => "ngrok was asked too often; wait a minute and try again",
        4027 => "this month's ngrok traffic is used up; wait for the next month or change the plan",
        15002 => "this ngrok address is not reserved for the account; reserve it or leave the address out",
        _ => return None,
    })
}

/// What a person can do about it here.
pub fn next_step(code: u32) -> Option<NextStep> {
    (code == 108).then_some(NextStep::StopNgrokAgents { session: None })
}

/// The sentence with the number, or where to read about it.
pub fn described(code: u32) -> String {
    match sentence(code) {
        Some(says) => format!("{says} (ERR_NGROK_{code})"),
        None => format!(
            "ngrok refused with ERR_NGROK_{code}; its page https://ngrok.com/docs/errors/err_ngrok_{code} says why"
        ),
    }
}

/// The number in a text such as `ERR_NGROK_108`.
pub fn code_in(text: &str) -> Option<u32> {
    let (_, code) = text.split_once("ERR_NGROK_")?;
    code.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_common_number_has_a_next_step() {
        for code in [105, 107, 108, 123, 206, 226, 702, 4018, 4027, 8013, 15002] {
            let says = sentence(code).unwrap();
            assert!(says.contains(';') && says.contains("ngrok"), "{code}: {says}");
        }
        assert!(described(9999).contains("err_ngrok_9999"));
    }

    #[test]
    fn a_number_is_found_in_the_agent_s_own_text() {
        let log = "failed to start tunnel: You must add a credit or debit card.\r\n\r\nERR_NGROK_8013\r\n";
        assert_eq!(code_in(log), Some(8013));
        assert_eq!(code_in("ERR_NGROK_"), None);
        assert_eq!(code_in("no error"), None);
    }
}

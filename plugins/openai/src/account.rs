//! The account capability: which models the vendor has, and how much is left, for vendors that say it.

use serde_json::{Value, json};
use witgate_sdk::{Call, Fault, Head, Mapper, Message, Out, Request};

use crate::dialect::{Balance, Dialect, Settings};
use crate::{fault, request};

/// One question.
#[derive(Debug)]
pub struct Account {
    call: Call,
    dialect: Dialect<'static>,
    /// Absent when the models are asked for.
    balance: Option<Balance<'static>>,
}

impl Mapper for Account {
    fn open(call: Call) -> Result<Self, Fault> {
        let dialect = Dialect::of_call(&call)?;
        let balance = match call.operation.as_str() {
            "models" => None,
            "balance" if dialect.balance.is_some() => dialect.balance,
            other => return Err(Fault::unsupported(format!("the provider `{}` has no `{other}`", call.provider))),
        };
        Ok(Account { call, dialect, balance })
    }

    fn request(&mut self, _: &mut Out) -> Result<Option<Request>, Fault> {
        let settings = Settings::read(std::mem::take(&mut self.call.settings)).map_err(Fault::unsupported)?;
        let path = self.balance.map_or(self.dialect.models, |balance| balance.path);
        let request = Request::get(request::under(&self.call, &self.dialect, path));
        Ok(Some(request::dressed(request, &self.call, &self.dialect, &settings)))
    }

    fn head(&mut self, head: &Head, _: &mut Out) -> Result<(), Fault> {
        fault::redirected(head)
    }

    fn response(&mut self, body: &str, out: &mut Out) -> Result<(), Fault> {
        let text = body.trim_start_matches('\u{feff}').trim();
        let found = serde_json::from_str(text).ok().and_then(|answer: Value| match self.balance {
            None => models(&answer),
            Some(balance) => left(&answer, balance, self.call.endpoint("api").unwrap_or_default()),
        });
        let Some(found) = found else {
            // A key without a limit has none, which is no error of anybody.
            if self.balance.is_some() && text.starts_with('{') && !fault::is_error(text) {
                return Err(Fault::unsupported("the vendor tells no balance for this key"));
            }
            return Err(fault::not_the(text, "list of models"));
        };
        out.emit(found.to_string());
        out.finish("stop");
        Ok(())
    }

    fn stream(&mut self, message: Message, out: &mut Out) -> Result<(), Fault> {
        self.response(&message.data, out)
    }

    fn fault(&mut self, head: &Head, body: &str) -> Fault {
        fault::refused(head, body, self.call.now)
    }
}

/// The ids in a list of models, which one vendor sends bare.
fn models(answer: &Value) -> Option<Value> {
    let list = answer.get("data").unwrap_or(answer).as_array()?;
    let ids: Vec<Value> = list.iter().filter_map(|model| Some(json!({"id": model.get("id")?.as_str()?}))).collect();
    Some(json!({ "models": ids }))
}

/// The balance, as the vendor writes it. None when it is not there, which also says that there is no limit.
fn left(answer: &Value, balance: Balance<'_>, url: &str) -> Option<Value> {
    let amount = |pointer: &str| match answer.pointer(pointer)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let (amount, index) = match balance.amount.split_once("/*/") {
        None => (amount(balance.amount)?, 0),
        Some((list, field)) => {
            let all = answer.pointer(list)?.as_array()?.len();
            let at = |index: usize| Some((amount(&format!("{list}/{index}/{field}"))?, index));
            let some = |(amount, _): &(String, usize)| amount.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
            (0..all).filter_map(at).find(some).or_else(|| at(0))?
        }
    };
    let currency = match balance.currency {
        pointer if pointer.starts_with('/') => {
            answer.pointer(&pointer.replace("/*/", &format!("/{index}/")))?.as_str()?
        }
        code => balance.abroad.filter(|_| is_abroad(url)).unwrap_or(code),
    };
    Some(json!({"amount": amount, "currency": currency}))
}

/// Whether a URL's host is outside of `.cn`.
fn is_abroad(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or_default();
    !host.ends_with(".cn")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_balance_is_read_where_the_vendor_puts_it() {
        let of = |provider: &str| Dialect::of(provider).unwrap().balance.unwrap();
        let deepseek = |amounts: [&str; 2]| {
            let infos = json!([{"currency": "CNY", "total_balance": amounts[0]}, {"currency": "USD", "total_balance": amounts[1]}]);
            left(&json!({ "balance_infos": infos }), of("deepseek"), "").unwrap()
        };
        assert_eq!(deepseek(["0.00", "4.20"]), json!({"amount": "4.20", "currency": "USD"}));
        assert_eq!(deepseek(["1", "2"]), json!({"amount": "1", "currency": "CNY"}));
        assert_eq!(deepseek(["0.00", "0"]), json!({"amount": "0.00", "currency": "CNY"}));
        let kimi = json!({"data": {"available_balance": 49.58}});
        for (url, currency) in [("https://api.moonshot.cn/v1", "CNY"), ("https://api.moonshot.ai:443/v1", "USD")] {
            let expected = Some(json!({"amount": "49.58", "currency": currency}));
            assert_eq!(left(&kimi, of("moonshot"), url), expected, "{url}");
        }
        assert_eq!(left(&json!({"data": {"limit_remaining": null}}), of("openrouter"), ""), None);
        assert_eq!(left(&json!({"balance_infos": []}), of("deepseek"), ""), None);
    }

    #[test]
    fn lists_of_models_come_in_two_shapes() {
        let expected = Some(json!({"models": [{"id": "a"}]}));
        assert_eq!(models(&json!({"object": "list", "data": [{"id": "a"}, {"name": "no id"}]})), expected);
        assert_eq!(models(&json!([{"id": "a"}])), expected);
        assert_eq!(models(&json!({"data": {}})), None);
    }
}

//! `response_format`: by the vendor's own means, else by a tool whose input is the answer, else by asking for it.

use std::borrow::Cow;

use witgate_sdk::{Body, Fault};

use super::field;
use super::tools::Tools;
use crate::ability::Ability;
use crate::fault::refused;
use crate::lost::Lost;
use crate::schema;
use crate::wire::ask::{Choice, OutputFormat, Schema, Tool};
use crate::wire::canonical::{Format, FormatSchema};

/// Names of the tool that stands for the answer: the first that the client's own tools leave free.
const TOOLS: &[&str] = &["json", "json_answer", "final_json_answer"];
const INSTRUCTION: &str = "Answer with one JSON object and nothing else: no prose around it, no code fence.";

/// How the answer gets its form.
#[derive(Default)]
pub(crate) struct Form {
    /// `output_config.format`.
    pub(crate) format: Option<OutputFormat>,
    /// What is added to the system prompt.
    pub(crate) instruction: Option<&'static str>,
    /// The name of the tool whose input is the answer.
    pub(crate) answer_tool: Option<&'static str>,
}

/// Reads `response_format`; may add a tool.
pub(crate) fn read<'a>(body: &'a Body, able: Ability, tools: &mut Tools<'a>, lost: &mut Lost) -> Result<Form, Fault> {
    let Some(asked) = field::<Format<'a>>(body, "response_format")? else { return Ok(Form::default()) };
    match (asked.r#type.as_ref(), asked.json_schema) {
        ("text", _) => Ok(Form::default()),
        ("json_schema", Some(FormatSchema { schema: Some(own), description })) => {
            let wrong = |what| refused("response_format.json_schema.schema", what);
            if !able.formats {
                let schema = schema::of_object(own).map_err(wrong)?.map_or(Schema::Own(own), Schema::Mended);
                return Ok(Form { answer_tool: Some(by_tool(schema, description, tools)), ..Form::default() });
            }
            let schema = schema::mended(own.get(), lost, "response_format.json_schema.schema").map_err(wrong)?;
            Ok(Form { format: Some(OutputFormat { r#type: "json_schema", schema }), ..Form::default() })
        }
        ("json_object" | "json_schema", _) => {
            lost.add(
                "response_format",
                "the vendor has no JSON mode without a schema: the system prompt asks for JSON",
            );
            Ok(Form { instruction: Some(INSTRUCTION), ..Form::default() })
        }
        (other, _) => Err(refused("response_format.type", format!("`{other}` is not supported"))),
    }
}

/// The model must use a tool: the one that stands for the answer, or one of the client's, when it may use those.
fn by_tool<'a>(input_schema: Schema<'a>, description: Option<Cow<'a, str>>, tools: &mut Tools<'a>) -> &'static str {
    let taken =
        |name: &str| tools.tools.iter().any(|tool| matches!(tool, Tool::Function { name: taken, .. } if taken == name));
    let name = TOOLS.iter().find(|name| !taken(name)).unwrap_or(&TOOLS[0]);
    let kind = tools.choice.as_ref().map_or("auto", |choice| choice.r#type);
    if kind != "tool" {
        let free = kind != "none" && !tools.tools.is_empty();
        let (r#type, name) = if free { ("any", None) } else { ("tool", Some((*name).into())) };
        tools.choice = Some(Choice { r#type, name, disable_parallel_tool_use: true });
    }
    tools.tools.push(Tool::Function {
        name: (*name).into(),
        description: Some(description.unwrap_or_else(|| "Gives the answer.".into())),
        input_schema,
        strict: false,
        cache_control: None,
    });
    name
}

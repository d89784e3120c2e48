//! The two functions of an `exchange`, in the types of the contract that the component was built for. Components of today's contract are
//! called as they are; only those of an older one pay for a conversion.

use wasmtime::{
    Result, Store,
    component::{ResourceAny, TypedFunc},
};

use crate::{
    machine::{Batch, Call, Effect},
    sandbox::Sandbox,
    v0_1,
};

/// The constructor of an `exchange`.
pub(crate) enum Construct {
    /// Contract 0.1.
    V0_1(TypedFunc<(v0_1::Call,), (ResourceAny,)>),
    /// Contract 0.2.
    V0_2(TypedFunc<(Call,), (ResourceAny,)>),
}

impl Construct {
    /// A new exchange.
    pub(crate) async fn call(&self, store: &mut Store<Sandbox>, call: Call) -> Result<ResourceAny> {
        let (exchange,) = match self {
            Construct::V0_2(function) => function.call_async(store, (call,)).await?,
            Construct::V0_1(function) => function.call_async(store, (v0_1::call(call),)).await?,
        };
        Ok(exchange)
    }
}

/// The method `step` of an `exchange`.
pub(crate) enum Step {
    /// Contract 0.1.
    V0_1(TypedFunc<(ResourceAny, v0_1::Batch), (Vec<v0_1::Effect>,)>),
    /// Contract 0.2.
    V0_2(TypedFunc<(ResourceAny, Batch), (Vec<Effect>,)>),
}

impl Step {
    /// One step of an exchange.
    pub(crate) async fn call(
        &self,
        store: &mut Store<Sandbox>,
        exchange: ResourceAny,
        batch: Batch,
    ) -> Result<Vec<Effect>> {
        match self {
            Step::V0_2(function) => Ok(function.call_async(store, (exchange, batch)).await?.0),
            Step::V0_1(function) => {
                let (effects,) = function.call_async(store, (exchange, v0_1::batch(batch))).await?;
                Ok(effects.into_iter().map(v0_1::effect).collect())
            }
        }
    }
}

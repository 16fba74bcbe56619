//! What pages are made of.

pub(crate) mod changes;
pub(crate) mod draft;
pub(crate) mod fields;
pub(crate) mod fold;
pub(crate) mod form;
pub(crate) mod frame;
pub(crate) mod hours;
pub(crate) mod icons;
pub(crate) mod loaded;
pub(crate) mod notices;

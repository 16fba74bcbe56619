//! What pages are made of.

pub(crate) mod fields;
pub(crate) mod form;
pub(crate) mod frame;
pub(crate) mod icons;
pub(crate) mod loaded;
pub(crate) mod notices;

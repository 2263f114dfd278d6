//! Keeps what was read for one use of a file, so that equal uses share it.
//!
//! Main type: [`Shared`].

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Maximum number of kept values, so that thousands of different uses do not fill the memory.
const MOST_KEPT: usize = 64;

/// Values that were made for a use, by a hash of everything that they depend on.
#[derive(Debug)]
pub(crate) struct Shared<T>(RefCell<HashMap<u64, Rc<T>>>);

impl<T> Shared<T> {
    pub(crate) fn get(&self, key: u64) -> Option<Rc<T>> {
        self.0.borrow().get(&key).cloned()
    }

    pub(crate) fn keep(&self, key: u64, value: T) -> Rc<T> {
        let (mut kept, value) = (self.0.borrow_mut(), Rc::new(value));
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(key, Rc::clone(&value));
        value
    }
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

//! The objects of an account: contacts, texts, appointments and what else its API lists.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::ControlError;

/// How many objects a list can have.
const OBJECTS_MAX: usize = 10_000;

/// The lists of an account by their names, each made when it is first used.
#[derive(Default)]
pub(crate) struct Objects(BTreeMap<&'static str, ObjectList>);

impl Objects {
    /// Returns a list; `seed` makes the objects that are in it from the start.
    pub(crate) fn list(
        &mut self,
        name: &'static str,
        id: &'static str,
        seed: impl FnOnce() -> Vec<Value>,
    ) -> &mut ObjectList {
        self.0.entry(name).or_insert_with(|| ObjectList::new(id, seed()))
    }
}

/// A list of objects in the order they were made.
pub(crate) struct ObjectList {
    /// The member that identifies an object.
    id: &'static str,
    next: u64,
    all: Vec<Value>,
}

impl ObjectList {
    fn new(id: &'static str, all: Vec<Value>) -> Self {
        let next = all.iter().filter_map(|object| object[id].as_u64()).max().unwrap_or_default() + 1;
        Self { id, next, all }
    }

    /// Returns all objects.
    pub(crate) fn all(&self) -> &[Value] {
        &self.all
    }

    /// Returns the object with an id, which is a number or a text.
    pub(crate) fn get(&self, id: &str) -> Option<&Value> {
        self.position(id).map(|position| &self.all[position])
    }

    /// Adds an object, which gets an id. Fails if the list is full.
    pub(crate) fn create(&mut self, members: Map<String, Value>) -> Result<&Value, ControlError> {
        if self.all.len() == OBJECTS_MAX {
            return Err(ControlError::conflict(format!(
                "The list already contains the maximum of {OBJECTS_MAX} objects."
            )));
        }
        let mut object = Value::Object(members);
        object[self.id] = self.next.into();
        self.next += 1;
        self.all.push(object);
        Ok(self.all.last().expect("one was just added"))
    }

    /// Replaces members of the object with an id, the id itself apart.
    pub(crate) fn update(&mut self, id: &str, members: Map<String, Value>) -> Option<&Value> {
        let position = self.position(id)?;
        let object = self.all[position].as_object_mut()?;
        object.extend(members.into_iter().filter(|(name, _)| name != self.id));
        self.all.get(position)
    }

    /// Removes the object with an id, and returns it.
    pub(crate) fn remove(&mut self, id: &str) -> Option<Value> {
        self.position(id).map(|position| self.all.remove(position))
    }

    fn position(&self, id: &str) -> Option<usize> {
        self.all.iter().position(|object| match &object[self.id] {
            Value::String(text) => text == id,
            number => number.as_u64().map(|number| number.to_string()).as_deref() == Some(id),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{OBJECTS_MAX, Objects};

    fn members(value: Value) -> Map<String, Value> {
        let Value::Object(members) = value else { panic!("an object") };
        members
    }

    #[test]
    fn it_creates_reads_updates_and_removes_an_object_and_never_gives_an_id_twice() {
        let mut objects = Objects::default();
        let list = objects.list("contacts", "id", || vec![json!({"id": 7}), json!({"id": 3})]);
        assert_eq!(
            list.create(members(json!({"name": "A", "id": 3}))).unwrap(),
            &json!({"id": 8, "name": "A"})
        );
        let changed = list.update("8", members(json!({"name": "B", "id": 9}))).cloned();
        assert_eq!(changed, Some(json!({"id": 8, "name": "B"})));
        assert_eq!(list.get("8").cloned(), changed);
        assert_eq!((list.remove("8"), list.remove("8"), list.get("8")), (changed, None, None));
        assert_eq!(list.create(Map::new()).unwrap(), &json!({"id": 9}));
        let again = objects.list("contacts", "id", || panic!("it is made once"));
        assert_eq!(again.all().len(), 3);
    }

    #[test]
    fn it_finds_an_object_by_a_text_and_refuses_more_than_a_list_holds() {
        let mut objects = Objects::default();
        let seed = || vec![json!({"sid": "a-1"}); OBJECTS_MAX];
        let list = objects.list("meetings", "sid", seed);
        assert!(list.get("a-1").is_some() && list.get("\"a-1\"").is_none());
        assert_eq!(list.create(Map::new()).err().unwrap().status(), 409);
    }
}

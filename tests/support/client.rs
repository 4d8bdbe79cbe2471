//! A client that takes what it is sent. Part of the library's own tests too, which is why it names the library from outside.

use std::future::Future;
use std::pin::Pin;

use namu::observe::Event;
use namu::service::Replies;

/// Takes so many messages, then it is gone.
pub struct Client {
    pub patience: usize,
    pub messages: Vec<Vec<u8>>,
    pub events: Vec<Event>,
}

impl Default for Client {
    fn default() -> Client {
        Client { patience: usize::MAX, messages: Vec::new(), events: Vec::new() }
    }
}

impl Replies for Client {
    fn send<'a>(
        &'a mut self,
        octets: Vec<u8>,
        event: Option<Event>,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        self.messages.push(octets);
        self.events.extend(event);
        Box::pin(std::future::ready(self.messages.len() < self.patience))
    }

    fn give_up(&mut self, event: Event) {
        self.events.push(event);
    }
}

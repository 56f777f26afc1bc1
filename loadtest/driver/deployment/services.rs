//! Broker and database of a deployment: those of the machine, reached through a proxy where they are cut off; or servers
//! of its own where they are killed, as others may use those of the machine.

use std::net::SocketAddr;

use testkit::broker_node::BrokerNode;
use testkit::chaos_proxy::ChaosProxy;
use testkit::database_node::DatabaseNode;
use testkit::mariadb::{TestDatabase, mysql_url};
use testkit::rabbitmq::amqp_url;

use super::DeploymentError;
use crate::scenario::Profile;
use crate::scenario::profile::What;
use crate::timeline::Service;

/// Where the services are. Servers of its own are killed when it is dropped.
pub(crate) struct Services {
    broker_node: Option<BrokerNode>,
    database_node: Option<DatabaseNode>,
    broker_way: Option<ChaosProxy>,
    database_way: Option<ChaosProxy>,
}

impl Services {
    /// Starts what the faults of this profile need.
    pub(super) async fn start(profile: &Profile) -> Result<Self, DeploymentError> {
        let has = |what| profile.faults.iter().any(|fault| fault.what == what);
        let mut services =
            Self { broker_node: None, database_node: None, broker_way: None, database_way: None };
        if has(What::BrokerKilled) {
            services.broker_node = Some(BrokerNode::start().await);
        }
        if has(What::DatabaseKilled) {
            services.database_node = Some(DatabaseNode::start().await);
        }
        if has(What::BrokerCut) {
            services.broker_way = Some(way(&services.broker_url(), "TEST_AMQP_URL").await?);
        }
        if has(What::DatabaseCut) {
            services.database_way = Some(way(&services.database_url(), "TEST_MYSQL_URL").await?);
        }
        Ok(services)
    }

    /// Whether it is this deployment's alone, and may be away because of it.
    pub(crate) const fn is_own(&self, service: Service) -> bool {
        match service {
            Service::Broker => self.broker_node.is_some(),
            Service::Database => self.database_node.is_some(),
        }
    }

    /// Past any proxy.
    pub(super) fn broker_url(&self) -> String {
        self.broker_node.as_ref().map_or_else(amqp_url, BrokerNode::url)
    }

    /// Past any proxy, and without a database.
    pub(super) fn database_url(&self) -> String {
        self.database_node.as_ref().map_or_else(mysql_url, DatabaseNode::url)
    }

    /// As Larkfire is told.
    pub(super) fn broker_url_through(&self) -> String {
        through(self.broker_url(), self.broker_way.as_ref())
    }

    /// As Larkfire is told.
    pub(super) fn database_url_through(&self, database: &TestDatabase) -> String {
        through(database.url(), self.database_way.as_ref())
    }

    pub(super) fn cut(&self, service: Service) {
        self.way(service).into_iter().for_each(ChaosProxy::cut);
    }

    pub(super) fn mend(&self, service: Service) {
        self.way(service).into_iter().for_each(ChaosProxy::restore);
    }

    /// `kill -9`.
    pub(super) async fn kill(&mut self, service: Service) {
        match (service, &mut self.broker_node, &mut self.database_node) {
            (Service::Broker, Some(node), _) => node.kill().await,
            (Service::Database, _, Some(node)) => node.kill().await,
            _ => {}
        }
    }

    /// Starts it on what it had stored, and lets it come up while everything goes on.
    pub(super) fn start_again(&mut self, service: Service) {
        match (service, &mut self.broker_node, &mut self.database_node) {
            (Service::Broker, Some(node), _) => node.start_unready(),
            (Service::Database, _, Some(node)) => node.start_unready(),
            _ => {}
        }
    }

    const fn way(&self, service: Service) -> Option<&ChaosProxy> {
        match service {
            Service::Broker => self.broker_way.as_ref(),
            Service::Database => self.database_way.as_ref(),
        }
    }
}

async fn way(url: &str, name: &'static str) -> Result<ChaosProxy, DeploymentError> {
    Ok(ChaosProxy::start(address_in(url).ok_or(DeploymentError::NoAddress(name))?).await)
}

fn through(url: String, way: Option<&ChaosProxy>) -> String {
    match (way, address_in(&url)) {
        (Some(way), Some(upstream)) => url.replace(&upstream.to_string(), &way.address().to_string()),
        _ => url,
    }
}

/// The address in `scheme://user:password@HOST:PORT/path`.
fn address_in(url: &str) -> Option<SocketAddr> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    authority.rsplit('@').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_between_password_and_path() {
        let address = |url| address_in(url).map(|address| address.to_string());
        assert_eq!(address("amqp://guest:guest@127.0.0.1:5672/%2f").as_deref(), Some("127.0.0.1:5672"));
        assert_eq!(address("mysql://root@127.0.0.1:3306").as_deref(), Some("127.0.0.1:3306"));
        assert_eq!(address("amqp://broker/"), None);
    }
}

//! propense-web

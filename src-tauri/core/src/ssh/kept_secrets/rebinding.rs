//! The password that stays with a link whose machine was replaced, and whose new key the person vouched for.

use moorline_model::session::Session;
use moorline_model::trust::Trust;
use moorline_ssh_files::{Alias, HostKey};
use secrecy::SecretString;

use super::purposes::{PasswordFor, may_rebind};
use crate::store::vault::{Found, SecretName, Vault, VaultError, find, keep, name_for};

/// A password that was found under the old key, to be kept under the new one.
pub(crate) struct Rebinding {
    password: SecretString,
    from: SecretName,
    to: PasswordFor,
}

impl Rebinding {
    /// What a change of `session` from `was` to `keys` takes along, if anything. Only reads. A vault that cannot be read
    /// holds up no change: the password then stays with the old key, and is not used.
    pub(crate) fn of(
        vault: &dyn Vault,
        was: &Session,
        session: &Session,
        pinned: &[HostKey],
        keys: &[(HostKey, Trust)],
    ) -> Option<Self> {
        match Self::find(vault, was, session, pinned, keys) {
            Ok(found) => found,
            Err(error) => {
                not_taken_along(&session.name, &error);
                None
            }
        }
    }

    fn find(
        vault: &dyn Vault,
        was: &Session,
        session: &Session,
        pinned: &[HostKey],
        keys: &[(HostKey, Trust)],
    ) -> Result<Option<Self>, VaultError> {
        let Some((key, trust)) = keys.first() else { return Ok(None) };
        let to = PasswordFor::of(session, Some(key.fingerprint()));
        let old = pinned.iter().map(|key| Some(key.fingerprint())).chain([None]);
        let old = old.map(|key| PasswordFor::of(was, key)).filter(|old| *old != to);
        let old: Vec<PasswordFor> = old.filter(|old| may_rebind(old, &to, *trust)).collect();
        if old.is_empty() {
            return Ok(None);
        }
        // What the person has just given for one of these keys is newer.
        for (key, _) in keys {
            if !matches!(find(vault, &PasswordFor::of(session, Some(key.fingerprint())))?, Found::None) {
                return Ok(None);
            }
        }
        for old in old {
            if let Found::Here(password) = find(vault, &old)? {
                return Ok(Some(Self { password, from: name_for(&old), to }));
            }
        }
        Ok(None)
    }

    /// Keeps it for the new key, beside the old: before the change.
    pub(crate) fn begin(&self, vault: &dyn Vault, session: &Alias) {
        if let Err(error) = keep(vault, &self.to, &self.password) {
            not_taken_along(session, &error);
        }
    }

    /// Lets go of the old: after the change.
    pub(crate) fn end(&self, vault: &dyn Vault, session: &Alias) {
        if let Err(error) = vault.delete(&self.from) {
            tracing::warn!(%session, %error, "a password that is not used any more is left in the keyring");
        }
    }
}

fn not_taken_along(session: &Alias, error: &VaultError) {
    tracing::warn!(%session, %error, "the kept password stays with the former host key");
}

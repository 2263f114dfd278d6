//! Variables of object stores: read only for a ledger in one.

use secrecy::SecretString;

use super::{Found, find_variable, read_variable};
use crate::error::Error;
use crate::model::StoreKind;

/// The variables found for one kind of store. `Debug` shows no value.
#[derive(Debug, Default)]
pub struct StoreVariables {
    pub values: Vec<(&'static str, SecretString)>,
    /// Values that must never be shown.
    pub hidden: Vec<SecretString>,
    /// Which variables were found, in the order they were looked for.
    pub found: Vec<Found>,
}

/// The variables of a kind of store: those that hold a secret, each also as `…_FILE`, and the others. Names in these lists that
/// end in `_FILE` are the providers' own.
type Names = (&'static str, &'static str);

const S3: Names = (
    "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SSE_CUSTOMER_KEY_BASE64",
    "AWS_REGION AWS_DEFAULT_REGION
     AWS_ENDPOINT_URL AWS_ENDPOINT_URL_S3 AWS_ENDPOINT_URL_STS
     AWS_ALLOW_HTTP AWS_VIRTUAL_HOSTED_STYLE_REQUEST
     AWS_ROLE_ARN AWS_ROLE_SESSION_NAME AWS_WEB_IDENTITY_TOKEN_FILE
     AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI
     AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE
     AWS_SERVER_SIDE_ENCRYPTION AWS_SSE_KMS_KEY_ID AWS_SSE_BUCKET_KEY_ENABLED AWS_REQUEST_PAYER",
);
const GOOGLE: Names = (
    "GOOGLE_SERVICE_ACCOUNT_KEY GOOGLE_BEARER_TOKEN",
    "GOOGLE_SERVICE_ACCOUNT GOOGLE_APPLICATION_CREDENTIALS
     GOOGLE_BASE_URL GOOGLE_ALLOW_HTTP GOOGLE_SKIP_SIGNATURE",
);
const AZURE: Names = (
    "AZURE_STORAGE_ACCOUNT_KEY AZURE_STORAGE_SAS_TOKEN AZURE_STORAGE_TOKEN AZURE_CLIENT_SECRET",
    "AZURE_STORAGE_ACCOUNT_NAME AZURE_CLIENT_ID AZURE_TENANT_ID AZURE_AUTHORITY_HOST
     AZURE_FEDERATED_TOKEN_FILE AZURE_MSI_ENDPOINT
     AZURE_STORAGE_ENDPOINT AZURE_STORAGE_USE_EMULATOR AZURE_ALLOW_HTTP",
);

impl StoreVariables {
    /// Looks for the variables of a kind of store.
    ///
    /// # Errors
    /// One that cannot be used, by name, without its value.
    pub fn from_environment(kind: StoreKind) -> Result<Self, Error> {
        let (secret, plain) = match kind {
            StoreKind::S3 => S3,
            StoreKind::Google => GOOGLE,
            StoreKind::Azure => AZURE,
        };
        let mut variables = Self::default();
        for name in secret.split_whitespace() {
            if let Some(value) = find_variable(name, &mut variables.found)? {
                let value = SecretString::from(value);
                variables.hidden.push(value.clone());
                variables.values.push((name, value));
            }
        }
        for name in plain.split_whitespace() {
            if let Some(value) = read_variable(name)? {
                tracing::info!(name, in_file = false, "variable found");
                variables.found.push(Found {
                    name,
                    in_file: false,
                });
                variables.values.push((name, SecretString::from(value)));
            }
        }
        Ok(variables)
    }
}

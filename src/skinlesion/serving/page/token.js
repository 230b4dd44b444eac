// The token of a service that wants one: asked for in a dialog, never stored.

import { byId } from "./dom.js";

/** Ask for the token. Gives null where the user has none. `again`: the last one was refused. */
export function askToken(again) {
  const [dialog, form, field] = ["token-dialog", "token-form", "token"].map(byId);
  byId("token-heading").textContent = again
    ? "The service refused this token"
    : "This service asks for a token";
  return new Promise((done) => {
    const settle = (token) => {
      field.value = "";
      dialog.close();
      done(token);
    };
    form.onsubmit = (event) => {
      event.preventDefault();
      settle(field.value);
    };
    byId("token-cancel").onclick = () => settle(null);
    dialog.oncancel = () => settle(null);
    dialog.showModal();
  });
}

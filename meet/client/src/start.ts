/* The start page's field for a code: hands what was typed to the meeting's page, in the part of
   the address that is not sent. */

const form = document.querySelector<HTMLFormElement>("form[data-code]");
const field = form?.querySelector<HTMLInputElement>("input");

if (form && field) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.assign(`/m/#c=${encodeURIComponent(field.value)}`);
  });
}

// A network's page: row, box, claim and address joined; sizes for any input; the field on a picture.

import { join } from "./joining.js";

export function mount(main) {
  join(main);
}

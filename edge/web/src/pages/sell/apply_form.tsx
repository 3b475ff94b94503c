import { type FormEvent, useState } from "react";
import { useApi } from "../../api/hooks";
import { useCommand } from "../../api/use_command";
import { Button } from "../../components/button";
import { Field } from "../../components/field";
import { PageHeading, Panel } from "../../components/panel";
import { FormProblem } from "../account/entrance";
import styles from "./sell.module.css";

/** Asks for the right to sell; the session is renewed, so that it carries the new role. */
export function ApplyForm() {
  const { users, session } = useApi();
  const [shopName, setShopName] = useState("");
  const apply = useCommand(async () => {
    await users.applyAsSeller({ shopName });
    await session.renew();
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void apply.run(undefined);
  };
  return (
    <div className={styles.narrow}>
      <PageHeading title="Become a seller" lead="Name your shop, and the hammer is yours." />
      <Panel>
        <form className={styles.form} onSubmit={submit}>
          <Field
            label="Shop name"
            required
            maxLength={80}
            autoComplete="organization"
            placeholder="Second Hand Watches"
            value={shopName}
            onChange={(event) => setShopName(event.target.value)}
            problem={apply.failure?.fields.shop_name}
          />
          <FormProblem failure={apply.failure} />
          <Button type="submit" wide busy={apply.busy}>
            Open my shop
          </Button>
        </form>
      </Panel>
    </div>
  );
}

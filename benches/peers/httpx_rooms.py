"""A simple script: list, compare by pipe and title, send the missing rooms, several at a time. No ledger, no retries."""
import asyncio, os, sys
import httpx, yaml

URL, WIDGET, WIDTH = os.environ["IMBACHAT_API_URL"], os.environ["IMBACHAT_WIDGET"], int(os.environ["WIDTH"])


async def main(verb):
    rooms = yaml.load(open("rooms.yaml", encoding="utf-8"), yaml.CSafeLoader)["rooms"]
    limits = httpx.Limits(max_connections=WIDTH, max_keepalive_connections=WIDTH)
    async with httpx.AsyncClient(base_url=URL, limits=limits, timeout=60, trust_env=False) as client:
        auth = (WIDGET, os.environ["IMBACHAT_SECRET_KEY"])
        listed = (await client.post(f"/imbachat/v2/{WIDGET}/get_rooms", data={"imba_id": WIDGET}, auth=auth)).raise_for_status().json()
        there = {(row["pipe"], row["name"]) for row in listed["data"]}
        missing = [room for room in rooms if (room["pipe"], room["title"]) not in there]
        print(f"{len(missing)} rooms to create")
        if verb == "plan":
            return
        waiting = iter(missing)

        async def worker():
            for room in waiting:
                form = {"imba_id": WIDGET, "login": os.environ["IMBACHAT_LOGIN"], "password": os.environ["IMBACHAT_PASSWORD"],
                        "room_pipe": room["pipe"], "room_title": room["title"], "room_type": "1", "room_is_public": "0"}
                form |= {f"users_ids[{index}]": str(user) for index, user in enumerate(room["members"])}
                answer = (await client.post("/imbachat/v1/widget/imba_rooms", data=form)).raise_for_status().json()
                assert answer["data"][0]["success"] is True, answer

        await asyncio.gather(*(worker() for _ in range(WIDTH)))


asyncio.run(main(sys.argv[1]))

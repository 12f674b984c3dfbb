//! Invented inputs, and what the tests ask of a run.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use propense_events::Event;
use propense_prepare::clean::{CleaningRule, Options};
use propense_prepare::{Prepared, Request, prepare, table::read_events};

pub(crate) const RETAIL: &str = "\
InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,\"HEART, WHITE\",6,2010-12-01 08:26:00,2.55,17850,United Kingdom
536365,71053,LANTERN,2,2010-12-01 08:26:00,3.0,17850,United Kingdom
536370,22728,ALARM CLOCK,24,2010-12-01 08:45:00,3.75,12583,France
536365,21730,GLASS STAR,1,2010-12-01 08:27:00,4.25,17850,United Kingdom
536366,22633,,1,2010-12-01 08:28:00,-1.85,,France
536366,22634,BOX,2,2010-12-01 08:29:00,1.5,,France
C536379,85123A,HEART,-1,2010-12-01 09:41:00,2.55,17850,United Kingdom
536367,22633,broken,-9,2010-12-01 08:34:00,0,,United Kingdom
";

pub(crate) const SHOPPERS: &str = "\
Administrative,Administrative_Duration,Informational,Informational_Duration,ProductRelated,ProductRelated_Duration,BounceRates,ExitRates,PageValues,SpecialDay,Month,OperatingSystems,Browser,Region,TrafficType,VisitorType,Weekend,Revenue
3,80.5,0,0.0,1,0.0,0.2,0.2,0.0,0.0,Feb,1,1,1,1,Returning_Visitor,False,False
0,0.0,0,0.0,2,64.0,0.0,0.1,12.5,0.8,May,2,2,1,2,New_Visitor,TRUE,TRUE
0,0.0,0,0.0,2,64.0,0.0,0.1,12.5,0.8,May,2,2,1,2,New_Visitor,TRUE,perhaps
";

pub(crate) const TAOBAO: &str = "\
1,2268318,2520377,pv,1511544070
1,2268318,2520377,pv,1511544070
1,2268318,2520377,buy,1511544075
1,2333346,2520771,cart,1511561733
2,2333346,2520771,fav,1511539300
2,2333346,2520771,stare,1511561733
2,2333346
";

pub(crate) const JDATA: &str = "\
action_time,user_id,sku_id,type,sessionId,index
2018-03-01 00:00:06,273220,159865,1,42,1519862406.0
2018-03-01 00:00:11,273220,37315,2,42,1519862411.0
2018-03-01 00:00:12,144363,352849,3,93,1519862412.0
2018-03-01 25:00:19,133564,246120,1,137,1519862419.0
";

pub(crate) const JD_MICRO: &str = "\
3176424+5+753+14+9 298082+6+753+13+19 298082+9+753+5+19
298082+1+753+5+19 298082+10+753+5+19
nothing here
";

pub(crate) const OWN: &str = "\
timestamp,event,user_id,session_id,item_id,item_name,item_category,price,quantity,page_type,value,context,event_no
1700000000000,view_item,u,s,A,Heart,Hearts,2.5,,product,,\"{\"\"device\"\":\"\"phone\"\",\"\"new\"\":true}\",1
1700000001000,purchase,u,s,A,Heart,Hearts,2.5,2,checkout,8.5,,2
1700000001000,purchase,u,s,B,,,3.5,1,,,,2
1700000005000,page_view,u,,,,,,,help,,,3
1700009999000,page_view,u,,,,,,,help,,,4
1700000003000,page_view,,,,,,,,home,,,5
1700000004000,purchase,,,A,Heart,,2.5,1,,,,6
1700000004000,purchase,,,B,,,3.5,1,,,,6
1700000004000,view_item,,,C,,,3.5,1,,,,7
";

/// Every input by name.
pub(crate) const ALL: [(&str, &str); 6] = [
    ("retail.csv", RETAIL),
    ("shoppers.csv", SHOPPERS),
    ("taobao.csv", TAOBAO),
    ("jdata.csv", JDATA),
    ("jd_micro.txt", JD_MICRO),
    ("own.csv", OWN),
];

/// A folder with input files, and one for the output.
pub(crate) struct Shop {
    folder: tempfile::TempDir,
}

impl Shop {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let shop = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        fs::create_dir(shop.path("in")).expect("a folder");
        for (name, text) in files {
            shop.write(name, text.as_bytes());
        }
        shop
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path("in").join(name);
        fs::write(&path, bytes).expect("written");
        path
    }

    /// A request for every input, with no rule that sets lines aside.
    pub(crate) fn request(&self, out: &str) -> Request {
        let mut request = Request::new(vec![self.path("in")], self.path(out));
        request.cleaning = lenient();
        request.threads = Some(2);
        request
    }

    pub(crate) fn prepare(&self, out: &str) -> Prepared {
        prepare(&self.request(out), &mut ()).expect("prepared")
    }
}

/// Every rule off.
pub(crate) fn lenient() -> Options {
    Options {
        without: CleaningRule::ALL.into_iter().collect(),
        ..Options::default()
    }
}

/// The events of the written tables.
pub(crate) fn events(prepared: &Prepared) -> Vec<Event> {
    let mut all = Vec::new();
    for path in &prepared.tables {
        let file = fs::File::open(path).expect("open");
        all.extend(read_events(file, path).expect("an event table").events);
    }
    all
}

/// Lines of a file but for its header.
pub(crate) fn data_lines(path: &Path) -> u64 {
    let text = fs::read_to_string(path).expect("text");
    (text.lines().count() as u64).saturating_sub(1)
}

/// The bytes of every file of a folder, by name.
pub(crate) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| {
            let entry = entry.expect("an entry");
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).expect("a file"))
        })
        .collect();
    files.sort();
    files
}

/// A shop log in our own CSV: `rows` events of invented users in no order, `share` of a hundred of
/// them the first user's.
pub(crate) fn log(rows: u64, users: u64, share: u64) -> String {
    let mut text = String::from("timestamp,event,user_id,item_id,item_category,price\n");
    let mut state = 7u64;
    let mut next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    for _ in 0..rows {
        let user = if next() % 100 < share {
            0
        } else {
            next() % users
        };
        let time = 1_700_000_000_000 + next() % 5_000_000 * 1000;
        let kind = ["view_item", "add_to_cart", "purchase", "view_item"][(next() % 4) as usize];
        let item = next() % 500;
        writeln!(
            text,
            "{time},{kind},user {user},item {item},category {},{}.5",
            item % 20,
            item % 90
        )
        .expect("text");
    }
    text
}
